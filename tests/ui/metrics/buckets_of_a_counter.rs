use bot_metrics::metrics;

metrics! {
    /// Signals.
    counter signals_total buckets(1, 2)
}

fn main() {}
