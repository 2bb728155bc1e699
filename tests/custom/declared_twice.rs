//! A family that two modules declare identically.

use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;

use crate::METRICS;

mod one {
    bot_metrics::metrics! {
        /// Counts of two modules.
        pub counter shared_total { exchange: bot_metrics::labels::Exchange }
        /// Counts of two modules by symbol.
        pub counter shared_by_symbol_total { symbol: bot_metrics::Symbol }
    }
}

mod two {
    bot_metrics::metrics! {
        /// Counts of two modules.
        pub counter shared_total { exchange: bot_metrics::labels::Exchange }
        /// Counts of two modules by symbol.
        pub counter shared_by_symbol_total { symbol: bot_metrics::Symbol }
    }
}

#[test]
fn two_equal_declarations_are_one_family_to_which_both_count() {
    let metrics = &*METRICS;
    one::shared_total(labels::Exchange::Kraken).increment();
    two::shared_total(labels::Exchange::Kraken).add(2);
    one::shared_by_symbol_total("BTCUSDT").increment();
    two::shared_by_symbol_total("BTCUSDT").add(2);
    let samples = Samples::of(metrics);
    assert_eq!(samples.value("bytelyst_bot_shared_total", &[("exchange", "kraken")]), Some(3.0));
    assert_eq!(samples.value("bytelyst_bot_shared_by_symbol_total", &[("symbol", "BTCUSDT")]), Some(3.0));
    let text = metrics.exposition();
    assert_eq!(text.matches("# TYPE bytelyst_bot_shared_total ").count(), 1, "{text}");
    Settings::new(Mode::Paper).build().expect("a second instance");
}
