use bot_metrics::prelude::*;

#[timed_subsystem(concat!("trad", "ing"))]
fn cycle() {}

fn main() {}
