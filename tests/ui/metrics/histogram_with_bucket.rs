use bot_metrics::metrics;

metrics! {
    /// Size.
    histogram size_bucket buckets(1, 2)
}

fn main() {}
