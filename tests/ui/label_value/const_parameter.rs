use bot_metrics::LabelValue;

#[derive(Clone, Copy, LabelValue)]
enum Side<const N: usize> {
    Buy,
}

fn main() {}
