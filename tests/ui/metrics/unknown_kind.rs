use bot_metrics::metrics;

metrics! {
    /// Size.
    gague size
}

fn main() {}
