use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    #[label("b\0uy")]
    Buy,
}

fn main() {}
