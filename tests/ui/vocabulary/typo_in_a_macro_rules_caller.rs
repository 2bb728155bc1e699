use bot_metrics::prelude::*;

macro_rules! cycle {
    ($name:ident, $subsystem:literal) => {
        #[timed_subsystem($subsystem)]
        fn $name() {}
    };
}

cycle!(one, "tradng");

fn main() {}
