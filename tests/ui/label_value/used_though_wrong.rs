use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(renam_all = "lowercase")]
pub enum Side {
    Buy,
}

fn side() -> &'static str {
    Side::Buy.as_str()
}

fn main() {}
