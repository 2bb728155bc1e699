use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
const BOT: u8 = 1;

fn main() {}
