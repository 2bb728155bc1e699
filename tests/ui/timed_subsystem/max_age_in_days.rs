use bot_metrics::prelude::*;

#[timed_subsystem("trading", max_age = "1d")]
fn cycle() {}

fn main() {}
