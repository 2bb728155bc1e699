use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label("snake_case")]
enum Side {
    Buy,
}

fn main() {}
