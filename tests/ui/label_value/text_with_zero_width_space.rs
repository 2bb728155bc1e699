use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    #[label("b\u{200b}uy")]
    Buy,
}

fn main() {}
