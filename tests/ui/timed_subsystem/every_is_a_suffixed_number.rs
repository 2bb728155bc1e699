use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = 5u32)]
fn cycle() {}

fn main() {}
