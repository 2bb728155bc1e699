use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
union Bot {
    a: u8,
}

fn main() {}
