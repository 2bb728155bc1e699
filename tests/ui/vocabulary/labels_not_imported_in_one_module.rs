use bot_metrics::prelude::*;

mod trading {
    use bot_metrics::timed_subsystem;

    #[timed_subsystem("trading")]
    fn cycle() {}
}

#[timed_subsystem("monitor")]
fn cycle() {}

fn main() {}
