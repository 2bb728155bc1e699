use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    #[label("buy")]
    #[label("long")]
    Buy,
}

fn main() {}
