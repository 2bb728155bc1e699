use bot_metrics::prelude::*;

struct Bot;

#[timed_subsystem("trading")]
impl Bot {
    const ID: u8 = 1;
}

fn main() {}
