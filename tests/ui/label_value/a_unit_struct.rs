use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
struct Side;

fn main() {}
