use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(extends = bot_metrics::labels::Operation)]
enum Operation {
    GetFees,
}

fn main() {}
