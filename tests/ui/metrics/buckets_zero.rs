use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds buckets(0, 1)
}

fn main() {}
