use bot_metrics::prelude::*;

#[timed_subsystem(skip)]
fn cycle() {}

fn main() {}
