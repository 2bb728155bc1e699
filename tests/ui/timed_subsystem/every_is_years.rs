use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = "9000h")]
fn cycle() {}

fn main() {}
