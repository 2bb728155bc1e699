use bot_metrics::prelude::*;

#[timed_subsystem("Trading")]
fn cycle() {}

fn main() {}
