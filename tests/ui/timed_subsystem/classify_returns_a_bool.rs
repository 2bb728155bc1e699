use bot_metrics::prelude::*;

#[timed_subsystem("trading", classify = judge)]
fn cycle() -> u8 {
    1
}

fn judge(value: &u8) -> bool {
    *value == 1
}

fn main() {}
