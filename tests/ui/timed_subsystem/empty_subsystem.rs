use bot_metrics::prelude::*;

#[timed_subsystem("")]
fn cycle() {}

fn main() {}
