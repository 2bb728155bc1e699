use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(color = "red")]
enum Side {
    Buy,
}

fn main() {}
