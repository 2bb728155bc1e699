use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = 5)]
fn cycle() {}

fn main() {}
