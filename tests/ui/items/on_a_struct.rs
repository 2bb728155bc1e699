use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
struct Bot;

fn main() {}
