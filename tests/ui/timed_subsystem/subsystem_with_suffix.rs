use bot_metrics::prelude::*;

#[timed_subsystem("trading"s)]
fn cycle() {}

fn main() {}
