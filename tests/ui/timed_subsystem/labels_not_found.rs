use bot_metrics::prelude::*;

#[timed_subsystem("trading", labels = crate::lables)]
fn cycle() {}

fn main() {}
