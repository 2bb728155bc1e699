use bot_metrics::prelude::*;

#[timed_subsystem(b"trading")]
fn cycle() {}

fn main() {}
