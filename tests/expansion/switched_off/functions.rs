//! Functions whose instructions are compared with and without their attributes.
use bot_metrics::prelude::*;

/// No value.
#[timed_subsystem("trading", every = "5s")]
#[inline(never)]
pub fn unit(numbers: &mut [u64]) {
    numbers.sort_unstable();
}

/// A result.
#[exchange_call(op = "place_order", exchange = "binance")]
#[inline(never)]
pub fn result(text: &str) -> Result<u64, std::num::ParseIntError> {
    text.parse()
}

/// A label chosen at run time.
#[exchange_call(op = "get_order", exchange = venue)]
#[inline(never)]
pub fn varies(venue: labels::Exchange, text: &str) -> Result<u64, std::num::ParseIntError> {
    Ok(text.parse::<u64>()? + u64::from(matches!(venue, labels::Exchange::Binance)))
}

/// Open labels.
#[operational_event(type = "STARTED", severity = "INFO", on = err, symbol = symbol, profile = "maker")]
#[inline(never)]
pub fn open(symbol: &str) -> Result<usize, String> {
    if symbol.is_empty() { Err("empty".to_owned()) } else { Ok(symbol.len()) }
}

/// With a `classify` function.
#[timed_subsystem("monitor", classify = classify)]
#[inline(never)]
pub fn classified(number: u64) -> Option<u64> {
    number.checked_mul(3)
}

fn classify(value: &Option<u64>) -> Outcome {
    if value.is_some() { Outcome::Ok } else { Outcome::Error }
}

/// Capital.
#[capital_check(profile = profile)]
#[inline(never)]
pub fn capital(profile: &str) -> Capital {
    Capital { allocated: f64::from(u32::try_from(profile.len()).unwrap_or(0)), ..Capital::default() }
}

/// A report.
#[reconciliation]
#[inline(never)]
pub fn reconcile() -> ReconciliationReport {
    ReconciliationReport::default()
}

/// A future.
#[exchange_call(op = "get_ticker", exchange = "okx")]
#[inline(never)]
pub async fn future(number: u64) -> Result<u64, String> {
    std::future::ready(number).await;
    Ok(number)
}

/// Polls the future once.
pub fn poll(number: u64) -> bool {
    let mut future = std::pin::pin!(future(number));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::future::Future::poll(future.as_mut(), &mut context).is_ready()
}
