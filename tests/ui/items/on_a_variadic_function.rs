use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
unsafe extern "C" fn cycle(count: u32, mut args: ...) {}

fn main() {}
