use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
macro_rules! bot {
    () => {};
}

fn main() {}
