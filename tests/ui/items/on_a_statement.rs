use bot_metrics::prelude::*;

fn cycle() {
    #[timed_subsystem("trading")]
    let x = 1;
}

fn main() {}
