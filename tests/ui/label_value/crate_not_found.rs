use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(crate = ::bot_metric)]
enum Side {
    Buy,
}

fn main() {}
