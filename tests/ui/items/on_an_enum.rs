use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
enum Bot {
    Trading,
}

fn main() {}
