use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds buckets(-1, 1)
}

fn main() {}
