use bot_metrics::labels::{Exchange, Operation};
use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size { from: Exchange, to: Exchange, operation: Operation }
}

fn main() {}
