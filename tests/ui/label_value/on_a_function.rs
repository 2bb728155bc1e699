use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
fn side() {}

fn main() {}
