use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(rename_all = snake_case)]
enum Side {
    Buy,
}

fn main() {}
