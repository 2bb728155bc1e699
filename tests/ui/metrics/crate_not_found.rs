use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size crate = ::bot_metric
}

fn main() {}
