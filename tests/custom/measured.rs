//! `#[timed]` and `#[counted]`.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;
use bot_metrics::{ProfileId, Symbol, counted, metrics, timed};

use crate::METRICS;
use crate::labels::{self, Side};

metrics! {
    /// Time to decide.
    histogram decision_seconds { side: Side, symbol: Symbol } buckets(0.001, 1_000)
    /// Time to price, of functions that return at once.
    histogram pricing_seconds buckets(1_000)
    /// Decisions.
    counter decisions_total { side: Side, profile: ProfileId }
    /// Calls of methods.
    counter method_calls_total
}

/// The value of a family's series with these labels, -1 if there is none.
fn shown(name: &str, labels: &[(&str, &str)]) -> f64 {
    Samples::of(&METRICS).value(&format!("bytelyst_bot_{name}"), labels).unwrap_or(-1.0)
}

fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).as_mut().poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[timed(decision_seconds, side = "buy", symbol = symbol)]
fn decide(symbol: &str, fails: bool) -> Result<u8, String> {
    assert!(!symbol.ends_with('!'), "on purpose");
    if fails {
        return Err(symbol.to_owned());
    }
    std::thread::sleep(std::time::Duration::from_millis(2));
    Ok(1)
}

#[test]
fn timed_observes_a_call_however_it_ends() {
    let labels = |symbol| [("side", "buy"), ("symbol", symbol)];
    assert_eq!(decide("OK", false), Ok(1));
    assert_eq!(shown("decision_seconds_count", &labels("OK")), 1.0);
    let sum = shown("decision_seconds_sum", &labels("OK"));
    assert!((0.002..60.0).contains(&sum), "{sum} seconds");
    let below = [("side", "buy"), ("symbol", "OK"), ("le", "0.001")];
    assert_eq!(shown("decision_seconds_bucket", &below), 0.0);
    assert_eq!(decide("ERR", true), Err("ERR".to_owned()));
    assert_eq!(shown("decision_seconds_count", &labels("ERR")), 1.0);
    assert!(catch_unwind(AssertUnwindSafe(|| decide("PANIC!", false))).is_err());
    assert_eq!(shown("decision_seconds_count", &labels("PANIC!")), 1.0);
}

struct Order {
    symbol: String,
    side: Side,
}

#[timed(decision_seconds, side = order.side, symbol = &order.symbol)]
async fn decide_later(order: Order, waits: bool) -> String {
    if waits {
        std::future::pending::<()>().await;
    }
    order.symbol
}

#[test]
fn timed_observes_a_future_from_its_first_poll_on() {
    let order = |symbol: &str| Order { symbol: symbol.to_owned(), side: Side::Sell };
    let count = |symbol| shown("decision_seconds_count", &[("side", "sell"), ("symbol", symbol)]);
    assert_eq!(poll_once(decide_later(order("READY"), false)).as_deref(), Some("READY"));
    assert_eq!(count("READY"), 1.0);
    assert_eq!(poll_once(decide_later(order("DROPPED"), true)), None);
    assert_eq!(count("DROPPED"), 1.0);
    drop(decide_later(order("UNPOLLED"), false));
    assert_eq!(count("UNPOLLED"), -1.0, "not even a series");
}

struct Pricer(u8);

struct Desk;

#[timed(pricing_seconds)]
impl Pricer {
    fn price(&self) -> u8 {
        self.0
    }

    fn skipped(&self) -> Outcome {
        if self.0 == 1 { Outcome::Skipped } else { Outcome::Ok }
    }

    fn later<'a>(&'a self) -> Pin<Box<dyn Future<Output = u8> + 'a>> {
        Box::pin(async move { self.price() })
    }

    #[timed(skip)]
    fn unmeasured(&self) -> u8 {
        self.0
    }
}

#[test]
fn timed_over_a_block_observes_its_methods() {
    const PRICER: Pricer = Pricer(1);
    let count = || shown("pricing_seconds_count", &[]);
    assert_eq!(count(), 0.0, "without labels the series is exported from the start");
    assert_eq!(PRICER.price(), 1);
    assert_eq!(count(), 1.0);
    assert_eq!(PRICER.skipped(), Outcome::Skipped);
    assert_eq!(PRICER.unmeasured(), 1);
    drop(PRICER.later());
    assert_eq!(count(), 1.0, "skipped, left out, never polled");
    assert_eq!(poll_once(PRICER.later()), Some(1));
    assert_eq!(count(), 3.0, "and the method that it calls");
}

#[counted(decisions_total, side = side, profile = "each")]
#[counted(decisions_total, side = side, profile = "ok", on = ok)]
#[counted(decisions_total, side = side, profile = "err", on = err)]
#[counted(decisions_total, side = side, profile = "panic", on = panic)]
#[counted(decisions_total, side = side, profile = "cancelled", on = cancelled)]
#[counted(decisions_total, side = side, profile = "return", on = "return")]
async fn count(side: Side, ends: &str) -> Result<(), ()> {
    match ends {
        "ok" => Ok(()),
        "err" => Err(()),
        "panic" => panic!("on purpose"),
        _ => std::future::pending().await,
    }
}

#[test]
fn counted_counts_the_ends_that_it_names() {
    let _metrics = &*METRICS;
    let ends =
        ["ok", "err", "err", "panic", "panic", "panic", "cancelled", "cancelled", "cancelled", "cancelled"];
    for end in ends {
        let _ = catch_unwind(AssertUnwindSafe(|| poll_once(count(Side::Buy, end))));
    }
    drop(count(Side::Buy, "ok"));
    let of = |profile| shown("decisions_total", &[("side", "buy"), ("profile", profile)]);
    assert_eq!(
        ["each", "ok", "err", "panic", "cancelled", "return"].map(of),
        [10.0, 1.0, 2.0, 3.0, 4.0, 3.0]
    );
}

#[test]
fn a_counter_with_an_open_label_is_0_before_its_first_increment() {
    #[counted(decisions_total, side = "sell", profile = "fails", on = err)]
    fn succeeds() -> Result<(), ()> {
        Ok(())
    }
    assert_eq!(succeeds(), Ok(()));
    assert_eq!(shown("decisions_total", &[("side", "sell"), ("profile", "fails")]), 0.0);
}

#[async_trait::async_trait]
trait Strategy {
    async fn run(&self) -> u8;

    #[counted(method_calls_total)]
    fn stop(&self) {}
}

#[async_trait::async_trait]
impl Strategy for Desk {
    #[counted(method_calls_total, on = ok)]
    async fn run(&self) -> u8 {
        2
    }
}

#[test]
fn counted_applies_to_methods_of_traits() {
    let before = shown("method_calls_total", &[]);
    assert_eq!(poll_once(Desk.run()), Some(2));
    Desk.stop();
    assert_eq!(shown("method_calls_total", &[]) - before, 2.0);
}

/// A module without imports.
mod elsewhere {
    #[bot_metrics::counted(super::decisions_total, side = super::Side::Sell, profile = name)]
    pub(super) fn call(name: &str) -> usize {
        name.len()
    }
}

#[test]
fn a_family_is_found_by_its_path() {
    assert_eq!(elsewhere::call("elsewhere"), 9);
    assert_eq!(shown("decisions_total", &[("side", "sell"), ("profile", "elsewhere")]), 1.0);
    assert_eq!(labels::Severity::Info.as_str(), "INFO");
}

#[test]
fn functions_that_record_to_own_families_are_listed_in_call_sites_with_their_family() {
    let sites = bot_metrics::call_sites();
    let listed = |function: &str| {
        let sites = sites.iter().filter(|site| site.function == function && site.module.contains("measured"));
        let targets = sites.map(|site| site.target());
        targets.map(|(kind, [family, _])| format!("{kind:?} {family}")).collect::<Vec<_>>()
    };
    assert_eq!(listed("decide"), ["Timed decision_seconds"]);
    assert_eq!(listed("decide_later"), ["Timed decision_seconds"]);
    assert_eq!(listed("count"), ["Counted decisions_total"; 6]);
    assert_eq!(listed("price"), ["Timed pricing_seconds"], "a method");
    assert_eq!(listed("unmeasured"), [""; 0], "left out");
    assert_eq!(listed("stop"), ["Counted method_calls_total"], "a trait's method, never called by this name");
    assert_eq!(listed("succeeds"), ["Counted decisions_total"], "inside a function");
    assert_eq!(listed("call"), ["Counted decisions_total"], "by its path");
}
