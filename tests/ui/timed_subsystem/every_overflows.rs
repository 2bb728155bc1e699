use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = "99999999999999999999s")]
fn cycle() {}

fn main() {}
