use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side {
    #[label("\u{202e}buy")]
    Buy,
}

fn main() {}
