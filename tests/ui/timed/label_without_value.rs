use bot_metrics::{LabelValue, Symbol, metrics, timed};

#[derive(Clone, Copy, LabelValue)]
pub enum Side {
    Buy,
    Sell,
}

metrics! {
    /// Time to an acknowledgement.
    histogram ack_seconds { side: Side, symbol: Symbol } buckets(1)
    /// Dollars of an order.
    histogram size_dollars buckets(1)
    /// Age of the book.
    gauge lag_seconds
    /// Orders.
    counter orders_total { side: Side }
}

#[timed(ack_seconds, side = Side::Buy, symbol)]
fn act(symbol: &str) -> Result<(), ()> {
    let _ = symbol;
    Ok(())
}

fn main() {}
