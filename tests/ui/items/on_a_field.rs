use bot_metrics::prelude::*;

struct Bot {
    #[timed_subsystem("trading")]
    id: u64,
}

fn main() {}
