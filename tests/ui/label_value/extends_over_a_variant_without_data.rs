use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Operation {
    #[label(extends)]
    Common,
    #[label(extends)]
    Two(bot_metrics::labels::Operation, bot_metrics::labels::Operation),
    #[label(extends)]
    #[label("three")]
    Three(bot_metrics::labels::Operation),
    GetFees,
}

fn main() {}
