use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds buckets(1, f64::INFINITY)
}

fn main() {}
