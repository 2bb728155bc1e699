use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
extern crate core;

fn main() {}
