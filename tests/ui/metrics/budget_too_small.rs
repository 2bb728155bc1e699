use bot_metrics::labels::Exchange;
use bot_metrics::{Symbol, metrics};

metrics! {
    /// Size.
    gauge size { exchange: Exchange, symbol: Symbol } budget = 20
}

fn main() {}
