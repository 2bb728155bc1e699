use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    #[label(rename = "buy")]
    Buy,
}

fn main() {}
