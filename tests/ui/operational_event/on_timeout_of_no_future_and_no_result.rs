use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_UNKNOWN", severity = "ERROR", on = [timeout, cancelled])]
fn place() {}

fn main() {}
