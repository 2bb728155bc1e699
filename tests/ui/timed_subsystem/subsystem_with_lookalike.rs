use bot_metrics::prelude::*;

#[timed_subsystem("trаding")]
fn cycle() {}

fn main() {}
