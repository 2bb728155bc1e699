use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    #[label("buy"s)]
    Buy,
}

fn main() {}
