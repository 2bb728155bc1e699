use bot_metrics::prelude::*;

mod labels {
    #[derive(Clone, Copy)]
    pub enum Subsystem {
        Hedging,
    }
}

#[timed_subsystem("hedging")]
fn cycle() {}

fn main() {}
