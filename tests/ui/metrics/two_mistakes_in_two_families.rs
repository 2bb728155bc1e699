use bot_metrics::metrics;

metrics! {
    /// Signals.
    counter signals

    /// Time.
    histogram time_seconds buckets(2, 1)
}

fn main() {}
