use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size

    /// Size.
    gauge size
}

fn main() {}
