//! A bot that uses every attribute and declares families of every kind, for the commands of `operations`.

#![expect(dead_code, reason = "a call site is linked even if its function is never called")]

use std::io;

use bot_metrics::labels::{EventType, Exchange, Severity};
use bot_metrics::operations;
use bot_metrics::prelude::*;
use bot_metrics::{Symbol, catalogue};
use libtest_mimic::Failed;

metrics! {
    /// Signals that the strategy gave.
    counter signals_total { source: labels::Source }

    /// Distance between bid and ask, in the quote currency.
    gauge spread { symbol: Symbol }

    /// Time from a signal to the order's acknowledgement.
    histogram signal_to_ack_seconds { symbol: Symbol }
        buckets(0.05, 0.25, 1, 5) objective(threshold = 1, ratio = 0.99)

    /// Time to plan, whose objective allows so much that no fast burn is possible.
    histogram plan_seconds buckets(0.25, 1) objective(threshold = 0.25, ratio = 0.9)

    /// Time to decode a message, whose bounds each format spells in its own way.
    histogram decode_seconds buckets(0.00001, 0.001) objective(threshold = 0.00001, ratio = 0.99)

    /// Value of an order in the quote currency, with such a bound at the other end.
    histogram order_value buckets(1000, 2_500_000)

    /// Orders of a batch.
    histogram batch_size { source: labels::Source } buckets(1, 10, 100)
}

#[timed_subsystem("trading", every = "5s")]
fn trade() {}

#[timed_subsystem("monitor", max_age = "10m")]
fn watch() {}

#[timed_subsystem("reconciliation", every = "30s")]
#[reconciliation]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::new()
}

#[exchange_call(op = "place_order")]
#[operational_event(type = "ORDER_PLACED", severity = "INFO")]
#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = [other, transport])]
fn place() -> Result<(), io::Error> {
    Ok(())
}

#[capital_check(profile = "maker")]
fn capital() -> Capital {
    Capital::default()
}

/// The settings of a live bot.
pub(crate) fn settings() -> Settings {
    Settings::new(Mode::Live)
        .app("desk")
        .exchange(Exchange::Paper)
        .expect_events([(Severity::Critical, EventType::CircuitBreaker)])
        .expect_families([&catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS])
}

/// The text of a command.
pub(crate) fn text(words: &[&str], settings: &Settings) -> Result<String, Failed> {
    let output = operations::run(words, settings);
    if output.code == 0 { Ok(output.text) } else { Err(output.errors.into()) }
}
