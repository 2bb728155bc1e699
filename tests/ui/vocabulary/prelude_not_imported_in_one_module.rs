use bot_metrics::prelude::*;

mod trading {
    #[timed_subsystem("trading")]
    fn cycle() {}
}

#[timed_subsystem("monitor")]
fn cycle() {}

fn main() {}
