use bot_metrics::metrics;

metrics! {
    /// Size.
    summary size
}

fn main() {}
