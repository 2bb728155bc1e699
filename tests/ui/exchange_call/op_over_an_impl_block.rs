use bot_metrics::prelude::*;

struct Client;

#[exchange_call(op = "place_order")]
impl Client {
    fn place_order(&self) {}
}

fn main() {}
