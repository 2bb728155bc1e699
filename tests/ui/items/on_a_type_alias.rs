use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
type Bot = u8;

fn main() {}
