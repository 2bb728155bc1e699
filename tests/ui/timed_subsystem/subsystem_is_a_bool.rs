use bot_metrics::prelude::*;

#[timed_subsystem(true)]
fn cycle() {}

fn main() {}
