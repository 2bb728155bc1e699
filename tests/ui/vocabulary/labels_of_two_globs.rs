mod labels {
    pub use bot_metrics::labels::*;
}

mod trading {
    use super::*;
    use bot_metrics::prelude::*;

    #[timed_subsystem("trading")]
    fn cycle() {}
}

fn main() {}
