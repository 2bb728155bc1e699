use bot_metrics::prelude::*;

#[timed_subsystem("trading", crate = "bot_metrics")]
fn cycle() {}

fn main() {}
