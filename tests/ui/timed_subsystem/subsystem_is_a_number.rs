use bot_metrics::prelude::*;

#[timed_subsystem(5)]
fn cycle() {}

fn main() {}
