use bot_metrics::prelude::*;

#[operational_event(type = "STARTED", severity = "INFO")]
enum Event {}

fn main() {}
