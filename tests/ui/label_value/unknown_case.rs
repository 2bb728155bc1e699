use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(rename_all = "snake-case")]
enum Side {
    Buy,
}

fn main() {}
