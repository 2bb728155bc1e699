use bot_metrics::prelude::*;

#[timed_subsystem("trading", on_cancel)]
fn cycle() {}

fn main() {}
