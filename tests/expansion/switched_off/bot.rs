//! A bot that uses everything, built without the feature `enable`.
use bot_metrics::metrics;
use bot_metrics::prelude::*;

metrics! {
    /// Signals.
    counter signals_total { subsystem: labels::Subsystem }

    /// Size.
    gauge size

    /// Time.
    histogram time_seconds buckets(0.1, 1) objective(threshold = 0.1, ratio = 0.9)
}

#[timed_subsystem("trading", every = "5s")]
fn trade() {
    signals_total(labels::Subsystem::Trading).increment();
    size().set(1.0);
    time_seconds().observe(0.5);
}

/// The settings name no exchange, which would be an error if this were measured.
#[exchange_call(op = "place_order")]
fn place() -> Result<(), String> {
    Ok(())
}

#[operational_event(type = "STARTED", severity = "INFO")]
fn start() {}

#[capital_check(profile = "maker")]
fn capital() -> Capital {
    Capital::default()
}

#[reconciliation]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::default()
}

fn main() -> Result<(), bot_metrics::Error> {
    let metrics = Settings::new(Mode::Paper).install()?;
    start();
    trade();
    place().unwrap();
    let _ = (capital(), reconcile());
    println!("call sites: {}", bot_metrics::call_sites().len());
    println!("{}", metrics.exposition());
    Ok(())
}
