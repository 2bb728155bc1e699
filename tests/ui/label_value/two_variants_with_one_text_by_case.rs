use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
#[label(rename_all = "lowercase")]
enum Venue {
    GateIo,
    Gateio,
}

fn main() {}
