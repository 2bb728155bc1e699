use bot_metrics::prelude::*;

mod labels {
    #[derive(Clone, Copy, bot_metrics::LabelValue)]
    pub enum Subsystem {
        // The FNV-1a hash of both texts, with 64 bits, is 0x184ade9a961953a2.
        #[label("7mohtcOFVz")]
        Hedging,
    }
}

#[timed_subsystem("c1E51sSEyx")]
fn cycle() {}

fn main() {}
