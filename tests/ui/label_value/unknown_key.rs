use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(renam_all = "snake_case")]
enum Side {
    Buy,
}

fn main() {}
