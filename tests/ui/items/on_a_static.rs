use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
static BOT: u8 = 1;

fn main() {}
