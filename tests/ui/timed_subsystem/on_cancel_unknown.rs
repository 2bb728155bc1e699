use bot_metrics::prelude::*;

#[timed_subsystem("trading", on_cancel = obsrve)]
fn cycle() {}

fn main() {}
