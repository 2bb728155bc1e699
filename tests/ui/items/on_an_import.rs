use bot_metrics::prelude::*;

#[timed_subsystem("trading")]
use std::fmt::Debug;

fn main() {}
