use bot_metrics::prelude::*;

#[timed_subsystem("tradng", every = "5", optinal)]
fn cycle() {}

fn main() {}
