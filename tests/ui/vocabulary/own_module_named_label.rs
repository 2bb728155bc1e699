use bot_metrics::prelude::*;

mod label {
    pub use bot_metrics::labels::*;
}

#[timed_subsystem("trading", labels = label::Subsystem)]
fn cycle() {}

fn main() {}
