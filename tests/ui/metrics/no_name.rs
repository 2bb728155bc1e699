use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge
}

fn main() {}
