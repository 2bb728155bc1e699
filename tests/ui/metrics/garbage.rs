use bot_metrics::metrics;

metrics! {
    @ # !
}

fn main() {}
