use bot_metrics::metrics;

metrics! {
    /// Time.
    histogram time_seconds
}

fn main() {}
