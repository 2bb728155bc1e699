use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = "5s", every = "6s")]
fn cycle() {}

fn main() {}
