use bot_metrics::prelude::*;

mod labels {
    #[derive(Clone, Copy)]
    pub enum Subsystem {
        Trading = 1,
        Hedging = 0,
    }

    impl bot_metrics::LabelValue for Subsystem {
        const NAME: &'static str = "subsystem";
        const VALUES: &'static [&'static str] = &["trading", "hedging"];

        fn index(self) -> usize {
            match self {
                Self::Trading => 0,
                Self::Hedging => 1,
            }
        }
    }
}

// By its number it would be recorded as `hedging`.
#[timed_subsystem(labels::Subsystem::Trading)]
fn cycle() {}

fn main() {}
