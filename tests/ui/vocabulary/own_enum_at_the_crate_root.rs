use bot_metrics::prelude::*;

#[derive(Clone, Copy, LabelValue)]
enum Subsystem {
    Hedging,
}

#[timed_subsystem("hedging")]
fn cycle() {}

fn main() {}
