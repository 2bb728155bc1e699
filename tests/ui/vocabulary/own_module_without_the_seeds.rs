use bot_metrics::prelude::*;

mod labels {
    #[derive(Clone, Copy, bot_metrics::LabelValue)]
    pub enum Subsystem {
        Hedging,
    }
}

#[exchange_call(op = "place_order")]
fn place() {}

fn main() {}
