use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds buckets(0.1, 1) objective(threshold = 0.5, ratio = 0.99)
}

fn main() {}
