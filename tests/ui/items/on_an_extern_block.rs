use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
unsafe extern "C" {
    fn getpid() -> i32;
}

fn main() {}
