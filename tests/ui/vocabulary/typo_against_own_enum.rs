use bot_metrics::prelude::*;

mod labels {
    #[derive(Clone, Copy, bot_metrics::LabelValue)]
    pub enum Subsystem {
        Trading,
        Hedging,
    }
}

#[timed_subsystem("hegding")]
fn cycle() {}

fn main() {}
