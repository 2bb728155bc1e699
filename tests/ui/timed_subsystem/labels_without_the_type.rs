use bot_metrics::prelude::*;

#[timed_subsystem("trading", labels = crate::mine)]
fn cycle() {}

mod mine {}

fn main() {}
