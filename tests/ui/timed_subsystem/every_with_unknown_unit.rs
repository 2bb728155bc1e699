use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = "5 sec")]
fn cycle() {}

fn main() {}
