use bot_metrics::prelude::*;

struct Bot;

impl Bot {
    #[timed_subsystem("trading")]
    const ID: u8 = 1;
}

fn main() {}
