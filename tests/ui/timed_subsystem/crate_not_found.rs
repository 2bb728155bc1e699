use bot_metrics::prelude::*;

#[timed_subsystem("trading", crate = ::bot_metric)]
fn cycle() {}

fn main() {}
