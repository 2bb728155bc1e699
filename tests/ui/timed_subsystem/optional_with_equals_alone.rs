use bot_metrics::prelude::*;

#[timed_subsystem("trading", optional =)]
fn cycle() {}

fn main() {}
