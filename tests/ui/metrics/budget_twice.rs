use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size budget = 1 budget = 2
}

fn main() {}
