use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = Duration::from_secs(5))]
fn cycle() {}

fn main() {}
