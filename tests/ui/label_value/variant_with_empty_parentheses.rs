use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    Buy(),
    Sell,
}

fn main() {}
