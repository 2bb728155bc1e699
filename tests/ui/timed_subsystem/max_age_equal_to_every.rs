use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = "5s", max_age = "5s")]
fn cycle() {}

fn main() {}
