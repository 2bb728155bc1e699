use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds buckets()
}

fn main() {}
