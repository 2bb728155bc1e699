use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds buckets(0.5, 0.5, 1)
}

fn main() {}
