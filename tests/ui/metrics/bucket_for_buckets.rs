use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds bucket(1, 2)
}

fn main() {}
