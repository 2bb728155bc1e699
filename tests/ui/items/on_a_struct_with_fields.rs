use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
struct Bot {
    id: u64,
}

fn main() {}
