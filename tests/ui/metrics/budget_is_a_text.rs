use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size budget = "many"
}

fn main() {}
