use bot_metrics::prelude::*;

fn cycle() {
    let _run = #[timed_subsystem("trading")]
    || 1;
}

fn main() {}
