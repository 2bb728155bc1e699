use bot_metrics::prelude::*;

#[timed_subsystem("trading\n")]
fn cycle() {}

fn main() {}
