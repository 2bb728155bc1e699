use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    Buy = 1,
    Sell = 2,
}

fn main() {}
