use bot_metrics::prelude::*;

#[timed_subsystem("trading", color = "red")]
fn cycle() {}

fn main() {}
