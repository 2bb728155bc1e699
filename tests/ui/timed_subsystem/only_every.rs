use bot_metrics::prelude::*;

#[timed_subsystem(every = "5s")]
fn cycle() {}

fn main() {}
