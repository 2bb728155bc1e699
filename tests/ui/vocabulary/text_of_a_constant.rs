use bot_metrics::prelude::*;

const TRADING: &str = "trading";

#[timed_subsystem(TRADING)]
fn cycle() {}

fn main() {}
