use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
const fn cycle() {}

fn main() {}
