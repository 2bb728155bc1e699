use bot_metrics::prelude::*;

#[exchange_call(op = std::cmp::Ordering::Less)]
fn place() {}

fn main() {}
