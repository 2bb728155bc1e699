mod labels {
    #[derive(Clone, Copy, bot_metrics::LabelValue)]
    pub enum Subsystem {
        Hedging,
    }
}

mod hedging {
    use bot_metrics::prelude::*;

    #[timed_subsystem("hedging")]
    fn cycle() {}
}

fn main() {}
