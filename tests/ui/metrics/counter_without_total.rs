use bot_metrics::metrics;

metrics! {
    /// Signals.
    counter signals
}

fn main() {}
