use bot_metrics::{Symbol, metrics};

metrics! {
    /// Size.
    gauge size { symbol: Symbol } budget = 100
}

fn main() {}
