use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(rename_all = "title")]
enum Side {
    Buy,
}

fn main() {}
