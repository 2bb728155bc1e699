use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size,

    /// Other.
    gauge other_size
}

fn main() {}
