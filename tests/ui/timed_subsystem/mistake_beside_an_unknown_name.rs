use bot_metrics::prelude::*;

#[timed_subsystem("trading", evry = "5s")]
fn cycle() {}

fn other() -> u8 {
    nothing
}

fn main() {}
