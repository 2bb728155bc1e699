use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge OrdersResting
}

fn main() {}
