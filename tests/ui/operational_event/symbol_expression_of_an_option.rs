use bot_metrics::prelude::*;

struct Order {
    symbol: Option<String>,
}

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", symbol = order.symbol)]
fn place(order: &Order) {}

fn main() {}
