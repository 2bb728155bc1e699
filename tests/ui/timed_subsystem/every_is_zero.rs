use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = "0s")]
fn cycle() {}

fn main() {}
