use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    #[label("b\nuy")]
    Buy,
}

fn main() {}
