use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    Buy,
    #[label("buy")]
    Long,
}

fn main() {}
