use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge "size"
}

fn main() {}
