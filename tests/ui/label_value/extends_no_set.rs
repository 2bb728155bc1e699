use bot_metrics::LabelValue;

#[derive(Clone, Copy)]
struct Venue;

#[derive(Clone, Copy, LabelValue)]
enum Exchange {
    #[label(extends)]
    Common(Venue),
    Own,
}

fn main() {}
