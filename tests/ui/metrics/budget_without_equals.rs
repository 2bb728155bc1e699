use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size budget 100
}

fn main() {}
