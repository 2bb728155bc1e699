use bot_metrics::prelude::*;

trait Venue {
    #[exchange_call(op = "place_order")]
    fn place(&self);
}

fn main() {}
