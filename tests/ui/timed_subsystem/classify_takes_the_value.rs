use bot_metrics::prelude::*;

#[timed_subsystem("trading", classify = judge)]
fn cycle() -> u8 {
    1
}

fn judge(_: u8) -> Outcome {
    Outcome::Ok
}

fn main() {}
