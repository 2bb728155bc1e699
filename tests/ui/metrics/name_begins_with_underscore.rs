use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge _size
}

fn main() {}
