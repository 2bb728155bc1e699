use bot_metrics::prelude::*;

#[timed_subsystem(name.as_str())]
fn cycle(name: String) {}

fn main() {}
