//! A bot that uses the whole API, built without the feature `enable`.
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

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

/// The settings name no exchange, which would be an error if this function were measured.
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
    handles(&metrics)?;
    println!("call sites: {}", bot_metrics::call_sites().len());
    println!("{}", metrics.exposition());
    println!("families: {}", metrics.snapshot().families.len());
    println!("collected: {}", metrics.registry().gather().len());
    println!("health: {:?}, events: {:?}", metrics.health(), metrics.recent_events());
    println!("served: {}", served(&metrics));
    Ok(())
}

/// Handles return their usual values and errors.
fn handles(metrics: &Metrics) -> Result<(), bot_metrics::Error> {
    let trading = metrics.subsystem(labels::Subsystem::Trading).with_period(Duration::from_secs(5))?;
    assert!(metrics.subsystem(labels::Subsystem::Trading).with_period(Duration::from_secs(6)).is_err());
    trading.start().finish(Outcome::Ok);
    drop(trading.start());
    trading.pause("market closed");
    trading.resume();
    let call = metrics.exchange_call(labels::Exchange::Binance, labels::Operation::PlaceOrder);
    let mut attempt = call.start();
    drop(attempt.local_wait());
    drop(bot_metrics::local_wait());
    attempt.finish(Outcome::Timeout);
    metrics.rate_limit(labels::Exchange::Binance, labels::RateLimit::RequestWeight).set_used(1.0, 2.0);
    let event = metrics.event(labels::Severity::Info, labels::EventType::Started);
    event.profile("maker").symbol("BTCUSDT").text("hello").record();
    let maker = metrics.profile("maker");
    maker.update(Capital { allocated: 1.0, positions: 2.0, ..Capital::default() });
    maker.update(Capital { allocated: f64::NAN, ..Capital::default() });
    maker.remove();
    let feed = metrics.market_data(labels::Exchange::Binance, "BTCUSDT");
    feed.updated();
    feed.remove();
    metrics.reconciliation().commit(ReconciliationReport::new().missing(labels::Source::Db, "order 4711"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    metrics.watch_tokio(runtime.handle());
    runtime.block_on(async { tokio::time::sleep(Duration::from_millis(250)).await });
    Ok(())
}

/// The exposition as served to a scrape.
fn served(metrics: &Metrics) -> String {
    let server = metrics.serve("127.0.0.1:0").unwrap();
    let mut connection = TcpStream::connect(server.local_addr()).unwrap();
    connection.write_all(b"GET /metrics HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}
