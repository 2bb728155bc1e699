use bot_metrics::prelude::*;

#[exchange_call(op = "place_order")]
struct Order;

fn main() {}
