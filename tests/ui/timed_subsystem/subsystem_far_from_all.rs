use bot_metrics::prelude::*;

#[timed_subsystem("zzzzzzzz")]
fn cycle() {}

fn main() {}
