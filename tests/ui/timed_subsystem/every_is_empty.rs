use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = "")]
fn cycle() {}

fn main() {}
