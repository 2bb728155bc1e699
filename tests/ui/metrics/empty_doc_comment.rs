use bot_metrics::metrics;

metrics! {
    ///
    gauge size
}

fn main() {}
