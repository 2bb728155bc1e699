use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(crate = "bot_metrics")]
enum Side {
    Buy,
}

fn main() {}
