use bot_metrics::prelude::*;

#[timed_subsystem(labels::Subsystem::Tradng)]
fn cycle() {}

fn main() {}
