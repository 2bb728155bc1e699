use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(rename_all)]
enum Side {
    Buy,
}

fn main() {}
