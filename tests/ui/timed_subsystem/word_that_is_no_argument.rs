use bot_metrics::prelude::*;

#[timed_subsystem("trading", optional, "monitor" optional)]
fn cycle() {}

fn main() {}
