use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(name = "")]
enum Side {
    Buy,
}

fn main() {}
