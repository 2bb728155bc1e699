use bot_metrics::prelude::*;

#[timed_subsystem("trading", optional = true)]
fn cycle() {}

fn main() {}
