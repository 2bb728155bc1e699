use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size unit seconds
}

fn main() {}
