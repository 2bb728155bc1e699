use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size_created
}

fn main() {}
