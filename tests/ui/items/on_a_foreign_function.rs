use bot_metrics::prelude::*;

unsafe extern "C" {
    #[timed_subsystem("trading")]
    fn getpid() -> i32;
}

fn main() {}
