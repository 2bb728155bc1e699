use bot_metrics::prelude::*;

mod labels {
    pub struct Subsystem;
}

#[timed_subsystem("trading")]
fn cycle() {}

fn main() {}
