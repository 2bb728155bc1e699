use bot_metrics::prelude::*;

#[timed_subsystem(labels::Exchange::Binance)]
fn cycle() {}

fn main() {}
