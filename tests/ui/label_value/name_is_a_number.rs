use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(name = 1)]
enum Side {
    Buy,
}

fn main() {}
