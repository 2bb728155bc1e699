use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds buckets(0.1, 1) objective(threshold = 1, ratio = 99)
}

fn main() {}
