use bot_metrics::prelude::*;

mod labels {
    #[derive(Clone, Copy, bot_metrics::LabelValue)]
    enum Subsystem {
        Hedging,
    }
}

#[timed_subsystem("hedging")]
fn cycle() {}

fn main() {}
