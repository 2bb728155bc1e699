use bot_metrics::{LabelValue, metrics};

#[derive(Clone, Copy, LabelValue)]
pub enum Side {
    Buy,
    Sell,
}

metrics! {
    /// Size.
    size { side: Side }
}

fn main() {}
