use bot_metrics::{LabelValue, metrics};

#[derive(Clone, Copy, LabelValue)]
pub enum Side {
    Buy,
    Sell,
}

metrics! {
    /// Size.
    gauge size { side: Side, side: Side }
}

fn main() {}
