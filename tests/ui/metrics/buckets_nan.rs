use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds buckets(f64::NAN)
}

fn main() {}
