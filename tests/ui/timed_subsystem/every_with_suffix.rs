use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = "5s"x)]
fn cycle() {}

fn main() {}
