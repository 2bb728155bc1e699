use bot_metrics::LabelValue;

#[derive(Clone, LabelValue)]
enum Side {
    Buy,
}

fn main() {}
