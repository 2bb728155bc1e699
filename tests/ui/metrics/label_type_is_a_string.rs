use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size { side: String }
}

fn main() {}
