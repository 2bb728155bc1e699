use bot_metrics::prelude::*;

#[timed_subsystem = "trading"]
fn cycle() {}

fn main() {}
