use bot_metrics::prelude::*;

#[timed_subsystem(Subsystem::Trading)]
fn cycle() {}

fn main() {}
