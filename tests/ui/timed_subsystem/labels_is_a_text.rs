use bot_metrics::prelude::*;

#[timed_subsystem("trading", labels = "crate::labels")]
fn cycle() {}

fn main() {}
