use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds buckets(0.1, 1) objective(treshold = 1, ratio = 0.99)
}

fn main() {}
