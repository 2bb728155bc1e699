use bot_metrics::prelude::*;

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", text = "qty {qty:.2}")]
fn place(qty: f64) {}

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", symbol = "{symbol}", profile = "a{}")]
fn cancel(symbol: &str) {}

// JSON is a text like others.
#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", text = "{\"a\": {\"b\": [] }}")]
fn json() {}

fn main() {}
