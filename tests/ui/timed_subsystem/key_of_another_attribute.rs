use bot_metrics::prelude::*;

#[timed_subsystem("trading", op = "place_order")]
fn cycle() {}

fn main() {}
