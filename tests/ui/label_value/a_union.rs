use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
union Side {
    buy: u8,
}

fn main() {}
