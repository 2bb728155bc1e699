use bot_metrics::prelude::*;

#[timed_subsystem("trading", optional every)]
fn cycle() {}

fn main() {}
