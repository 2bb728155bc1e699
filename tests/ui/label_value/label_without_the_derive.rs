use bot_metrics::LabelValue;

#[label("buy")]
enum Side {
    Buy,
}

fn main() {}
