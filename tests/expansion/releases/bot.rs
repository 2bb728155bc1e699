//! A bot whose next release changes its metrics.

use std::process::ExitCode;

use bot_metrics::prelude::*;

mod labels {
    pub use bot_metrics::labels::*;

    #[derive(Clone, Copy, Debug, bot_metrics::LabelValue)]
    pub enum Side {
        Buy,
        Sell,
    }
}

metrics! {
    /// Orders resting at the exchange.
    gauge orders_resting { side: labels::Side }

    /// Bytes of answers that were read.
    counter answers_bytes_total

    /// Time from a signal to its order.
    histogram signal_to_order_seconds { side: labels::Side }
        buckets(0.05, 0.25, 1) objective(threshold = 0.25, ratio = 0.99)

    /// Signals that a strategy gave.
    counter signals_total { side: labels::Side }
}

#[timed_subsystem("trading", every = "5s")]
fn trade() {
    place().ok();
    orders_resting(labels::Side::Buy).set(1.0);
    signals_total(labels::Side::Sell).increment();
    signal_to_order_seconds(labels::Side::Buy).observe(0.1);
    answers_bytes_total().add(100);
}

#[exchange_call(op = "place_order", exchange = "binance")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() -> ExitCode {
    let settings = Settings::new(Mode::Live).app("desk");
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if words.is_empty() {
        trade();
    }
    bot_metrics::operations::run(words, &settings).print()
}
