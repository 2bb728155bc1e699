use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Operation {
    GetFees,
    PlaceOrder,
    #[label(extends)]
    Common(bot_metrics::labels::Operation),
    #[label(extends)]
    Again(bot_metrics::labels::Operation),
}

fn main() {}
