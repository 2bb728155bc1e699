use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    #[label(1)]
    Buy,
}

fn main() {}
