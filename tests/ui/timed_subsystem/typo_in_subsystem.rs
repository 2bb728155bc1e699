use bot_metrics::prelude::*;

#[timed_subsystem("tradng")]
fn cycle() {}

fn main() {}
