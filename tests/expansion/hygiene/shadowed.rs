//! A crate whose own items have the names of the standard library's and of this library's items.
#![forbid(unsafe_code)]
#![deny(warnings, clippy::pedantic, missing_docs, unused, unreachable_pub)]
#![allow(dead_code, non_camel_case_types, clippy::module_name_repetitions, clippy::unnecessary_wraps)]

use bot_metrics::{capital_check, exchange_call, labels, operational_event, reconciliation, timed_subsystem};

mod core {}
mod std {}
mod alloc {}
mod linkme {}
mod __private {}

struct Result;
struct Option;
struct Some;
struct Box;
struct String;
struct Duration;
struct Outcome;
struct Probe;
struct CallSite;
struct Choice;
struct Target;
struct LabelValue;
struct usize;
struct str;
struct u64;
struct bool;

const SITE: u8 = 1;
const CELLS: u8 = 2;
const LINK: u8 = 3;
const CHOICES: u8 = 4;
const SUBSYSTEM: u8 = 5;
const OPERATION: u8 = 6;

macro_rules! file {
    () => {
        1
    };
}
macro_rules! line {
    () => {
        file!()
    };
}
macro_rules! module_path {
    () => {
        line!()
    };
}

fn macros() -> u8 {
    module_path!()
}

/// A trait for all types, with the names of the library's methods.
trait Everything {
    fn start(&self) {}
    fn finish(&self) {}
    fn outcome(&self) {}
    fn every(&self) {}
    fn len(&self) {}
    fn index(&self) {}
}

impl<T> Everything for T {}

#[timed_subsystem("trading", every = "5s", max_age = "1m", optional)]
fn unit(value: u8, _guard: u8) -> u8 {
    value + one() + SITE + CELLS + LINK + CHOICES + SUBSYSTEM + OPERATION
}

const fn one() -> u8 {
    1
}

#[exchange_call(op = "get_order", exchange = "okx")]
fn result(value: u8) -> ::std::result::Result<u8, ::std::io::Error> {
    ::std::result::Result::Ok(value + SITE + CELLS + LINK)
}

#[exchange_call(op = "get_order", exchange = exchange)]
async fn waits(exchange: labels::Exchange, value: u8) -> ::std::result::Result<u8, ()> {
    ::std::future::ready(()).await;
    ::std::result::Result::Ok(value + SITE)
}

#[exchange_call(op = "get_order")]
fn boxed(
    value: u8,
) -> ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = ::std::result::Result<u8, ()>>>> {
    ::std::boxed::Box::pin(async move { ::std::result::Result::Ok(value + SITE) })
}

#[operational_event(type = "STARTED", severity = "INFO", on = err, profile = profile, symbol = "BTCUSDT")]
fn event(profile: &::std::primitive::str) -> ::std::result::Result<::std::primitive::usize, ()> {
    ::std::result::Result::Ok(profile.chars().count())
}

#[capital_check(profile = profile)]
fn capital(profile: &::std::primitive::str) -> bot_metrics::Capital {
    let _ = profile;
    bot_metrics::Capital::default()
}

#[reconciliation]
fn reconciled() -> bot_metrics::ReconciliationReport {
    bot_metrics::ReconciliationReport::new()
}

/// A generic function whose parameters have names used by the library.
#[exchange_call(op = "get_order")]
fn parameters<Site, Guard, R, G, const CELLS: u8>(site: Site, _guard: Guard, r: R, g: G) -> ::std::result::Result<(Site, R, G), u8> {
    if CELLS == 0 { ::std::result::Result::Err(CELLS) } else { ::std::result::Result::Ok((site, r, g)) }
}
