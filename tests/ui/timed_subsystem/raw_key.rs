use bot_metrics::prelude::*;

#[timed_subsystem("trading", r#every = 5)]
fn cycle() {}

fn main() {}
