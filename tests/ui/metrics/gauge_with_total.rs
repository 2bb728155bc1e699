use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size_total
}

fn main() {}
