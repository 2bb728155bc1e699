use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Operation {
    #[label(extends)]
    Common,
    #[label(extends)]
    Two(bot_metrics::Operation, bot_metrics::Operation),
    #[label(extends)]
    #[label("three")]
    Three(bot_metrics::Operation),
    GetFees,
}

fn main() {}
