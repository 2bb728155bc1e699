use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    Buy(u8),
    Sell,
}

fn main() {}
