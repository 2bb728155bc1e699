use bot_metrics::LabelValue;

#[derive(LabelValue)]
enum Side {
    Buy,
}

fn main() {}
