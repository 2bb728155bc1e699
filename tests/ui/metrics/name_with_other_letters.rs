use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge größe
}

fn main() {}
