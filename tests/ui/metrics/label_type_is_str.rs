use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size { side: &str }
}

fn main() {}
