use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
mod bot {}

fn main() {}
