use bot_metrics::prelude::*;

fn cycle() {
    #![timed_subsystem("trading")]
}

fn main() {}
