use bot_metrics::prelude::*;

#[timed_subsystem("trading", "monitor")]
fn cycle() {}

fn main() {}
