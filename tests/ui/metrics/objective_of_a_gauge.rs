use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size objective(threshold = 1, ratio = 0.99)
}

fn main() {}
