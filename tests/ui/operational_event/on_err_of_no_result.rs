use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err)]
fn place() {}

fn main() {}
