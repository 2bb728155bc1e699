use bot_metrics::prelude::*;

#[timed_subsystem('t')]
fn cycle() {}

fn main() {}
