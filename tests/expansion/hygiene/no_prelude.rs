//! A crate without a prelude.
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings)]

use ::bot_metrics::{capital_check, exchange_call, labels, operational_event, reconciliation, timed_subsystem};
use ::std::future::{Future, ready};
use ::std::result::Result::{self, Err, Ok};

/// At once.
#[timed_subsystem("trading", every = "5s", on_cancel = "observe")]
pub fn unit() {}

/// With a result.
///
/// # Errors
///
/// On 0.
#[exchange_call(op = "get_order", exchange = "okx")]
pub fn result(value: u8) -> Result<u8, ::std::io::Error> {
    if value == 0 {
        return Err(::std::convert::From::from(::std::io::ErrorKind::TimedOut));
    }
    Ok(value)
}

/// Later.
///
/// # Errors
///
/// None.
#[exchange_call(op = "get_order", exchange = exchange)]
pub async fn waits(exchange: labels::Exchange, value: u8) -> Result<u8, u8> {
    ready(()).await;
    Ok(value)
}

/// Written out.
#[exchange_call(op = "get_order")]
pub fn future(value: u8) -> impl Future<Output = Result<u8, u8>> {
    async move { Ok(ready(value).await) }
}

fn judge(value: &u8) -> ::bot_metrics::ErrorClass {
    if *value == 0 { ::bot_metrics::ErrorClass::Other } else { ::bot_metrics::ErrorClass::Decode }
}

/// Judged by a function.
#[timed_subsystem("trading", classify = judge)]
#[must_use]
pub fn classified(value: u8) -> u8 {
    value
}

/// An event.
#[operational_event(type = "STARTED", severity = "INFO", profile = profile)]
pub fn event(profile: ::std::string::String) {
    ::std::mem::drop(profile);
}

/// Capital.
#[capital_check(profile = "maker")]
#[must_use]
pub fn capital() -> ::bot_metrics::Capital {
    ::std::default::Default::default()
}

/// A cycle.
#[reconciliation]
#[must_use]
pub fn reconciled() -> ::bot_metrics::ReconciliationReport {
    ::bot_metrics::ReconciliationReport::new()
}
