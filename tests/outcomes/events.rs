//! Events, capital and reconciliation through attributes.

use std::future::{Future, pending, ready};
use std::task::{Context, Waker};

use bot_metrics::labels::Source;
use bot_metrics::prelude::*;

use crate::labels;
use crate::seen::{metrics, panics, samples};

/// A call with the given end: `None` panics.
macro_rules! ends {
    ($($name:ident: $type:literal $(, $on:ident)?;)*) => {
        $(
            #[operational_event(type = $type, severity = "ERROR" $(, on = $on)?)]
            async fn $name(end: Option<Result<u8, u8>>) -> Result<u8, u8> {
                match end {
                    Some(Ok(0)) => pending().await,
                    Some(end) => ready(end).await,
                    None => panic!("a deliberate panic"),
                }
            }
        )*
    };
}

ends! {
    on_ok: "ON_OK", ok;
    on_err: "ON_ERR", err;
    on_panic: "ON_PANIC", panic;
    on_cancelled: "ON_CANCELLED", cancelled;
    on_return: "ON_RETURN", return;
    on_always: "ON_ALWAYS", always;
    by_default: "BY_DEFAULT";
}

mod placing {
    use bot_metrics::LabelValue;
    pub(crate) use bot_metrics::labels::Severity;

    #[derive(Clone, Copy, Debug, LabelValue)]
    #[label(rename_all = "SCREAMING_SNAKE_CASE")]
    #[allow(dead_code, reason = "named by their texts")]
    pub(crate) enum EventType {
        Placed,
        Rejected,
        Limited,
        Failed,
        Unknown,
        Twice,
    }
}

struct Refusal(ErrorClass);

impl ClassifyError for Refusal {
    fn class(&self) -> ErrorClass {
        self.0
    }
}

#[operational_event(type = "PLACED", severity = "INFO", labels = placing)]
#[operational_event(type = "REJECTED", severity = "WARNING", on = rejected, labels = placing)]
#[operational_event(type = "LIMITED", severity = "WARNING", on = [rate_limited, banned], labels = placing)]
#[operational_event(
    type = "UNKNOWN",
    severity = "ERROR",
    on = [server_error, timeout, transport, decode, "cancelled"],
    labels = placing
)]
#[operational_event(
    type = "FAILED",
    severity = "ERROR",
    on = [err, panic, !rejected, !rate_limited, !banned, !server_error, !timeout, !transport, !decode],
    labels = placing
)]
async fn place(end: Option<ErrorClass>) -> Result<(), Refusal> {
    match end {
        Some(ErrorClass::Other) => pending().await,
        Some(class) => ready(Err(Refusal(class))).await,
        None => Ok(()),
    }
}

/// "A reject is `ORDER_REJECTED`, not `ORDER_FAILURE`; a timeout on placing is `ORDER_UNKNOWN`."
#[test]
fn each_class_of_an_error_can_be_an_event_of_its_own_and_none_is_two() {
    use ErrorClass::{Auth, Banned, Decode, RateLimited, Rejected, ServerError, Timeout, Transport};
    metrics();
    let counts = || {
        let kinds = ["PLACED", "REJECTED", "LIMITED", "UNKNOWN", "FAILED"];
        kinds.map(|kind| events(kind, "", "").expect("it is 0 from the start"))
    };
    assert_eq!(counts(), [0.0; 5]);
    poll_once(place(None));
    for class in [Rejected, RateLimited, Banned, Auth, ServerError, Timeout, Transport, Decode] {
        poll_once(place(Some(class)));
    }
    assert_eq!(counts(), [1.0, 1.0, 2.0, 4.0, 1.0], "each call is one event");
    // Dropped by a deadline, the call is both a timeout and cancelled, but still one event; dropped otherwise it is
    // cancelled.
    poll_once(bot_metrics::with_deadline(ready(()), place(Some(ErrorClass::Other))));
    assert_eq!(counts(), [1.0, 1.0, 2.0, 5.0, 1.0]);
    poll_once(place(Some(ErrorClass::Other)));
    assert_eq!(counts(), [1.0, 1.0, 2.0, 6.0, 1.0]);
}

#[operational_event(type = "TWICE", severity = "INFO", on = [err, rejected, !timeout], labels = placing)]
#[operational_event(type = "TWICE", severity = "WARNING", on = rejected, labels = placing)]
#[operational_event(type = "TWICE", severity = "ERROR", on = timeout, labels = placing)]
#[operational_event(type = "TWICE", severity = "CRITICAL", on = [cancelled, !timeout], labels = placing)]
async fn place_again(class: ErrorClass) -> Result<(), Refusal> {
    if class == ErrorClass::Timeout { pending().await } else { ready(Err(Refusal(class))).await }
}

#[test]
fn an_end_that_two_attributes_name_is_two_events_and_a_deadline_is_a_timeout() {
    metrics();
    let of = |severity| {
        let labels = [("type", "TWICE"), ("severity", severity)];
        samples().value("bytelyst_bot_operational_events_total", &labels)
    };
    poll_once(place_again(ErrorClass::Rejected));
    assert_eq!(["INFO", "WARNING", "ERROR", "CRITICAL"].map(of), [1.0, 1.0, 0.0, 0.0].map(Some));
    poll_once(bot_metrics::with_deadline(ready(()), place_again(ErrorClass::Timeout)));
    assert_eq!(["INFO", "WARNING", "ERROR", "CRITICAL"].map(of), [1.0, 1.0, 1.0, 0.0].map(Some));
    poll_once(place_again(ErrorClass::Timeout));
    assert_eq!(["INFO", "WARNING", "ERROR", "CRITICAL"].map(of), [1.0, 1.0, 1.0, 1.0].map(Some));
}

#[operational_event(type = "BY_SKIP", severity = "ERROR", on = skipped)]
fn skips(says: Outcome) -> Outcome {
    says
}

#[operational_event(type = "BY_CLASS", severity = "ERROR", on = [auth, other], classify = class_of)]
fn classified(class: u8) -> Option<u8> {
    Some(class)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "`classify` passes references")]
fn class_of(value: &Option<u8>) -> ErrorClass {
    if *value == Some(1) { ErrorClass::Auth } else { ErrorClass::Other }
}

#[test]
fn returned_outcomes_and_classified_ones_are_distinguished_too() {
    metrics();
    for says in [Outcome::Ok, Outcome::Skipped, Outcome::Rejected] {
        skips(says);
    }
    assert_eq!(events("BY_SKIP", "", ""), Some(1.0));
    classified(1);
    classified(2);
    assert_eq!(events("BY_CLASS", "", ""), Some(2.0));
}

pub(crate) fn poll_once<F: Future>(future: F) {
    let mut future = Box::pin(future);
    let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

/// Three successes, five errors, seven panics and two cancelled calls.
fn every_end<F: Future>(call: impl Fn(Option<Result<u8, u8>>) -> F) {
    for (end, times) in [(Some(Ok(1)), 3), (Some(Err(1)), 5), (None, 7), (Some(Ok(0)), 2)] {
        for _ in 0..times {
            if end.is_none() {
                panics(|| poll_once(call(end)));
            } else {
                poll_once(call(end));
            }
        }
    }
    drop(call(Some(Ok(1))));
}

fn events(event: &str, profile: &str, symbol: &str) -> Option<f64> {
    let labels = [("type", event), ("profile_id", profile), ("symbol", symbol)];
    samples().value("bytelyst_bot_operational_events_total", &labels)
}

#[test]
fn an_event_is_counted_for_the_ends_that_it_names() {
    metrics();
    every_end(on_ok);
    every_end(on_err);
    every_end(on_panic);
    every_end(on_cancelled);
    every_end(on_return);
    every_end(on_always);
    every_end(by_default);
    for (event, count) in [
        ("ON_OK", 3.0),
        ("ON_ERR", 5.0),
        ("ON_PANIC", 7.0),
        ("ON_CANCELLED", 2.0),
        ("ON_RETURN", 8.0),
        ("ON_ALWAYS", 17.0),
        ("BY_DEFAULT", 3.0),
    ] {
        assert_eq!(events(event, "", ""), Some(count), "{event}");
    }
}

#[operational_event(type = "NEVER_CALLED", severity = "CRITICAL", symbol = "BTCUSDT")]
fn never_called() {}

#[test]
fn every_event_in_the_code_is_zero_from_the_start() {
    metrics();
    assert_eq!(events("NEVER_CALLED", "", ""), Some(0.0));
    assert_eq!(events("NEVER_CALLED", "", "BTCUSDT"), None);
    let _ = never_called;
}

mod picks {
    use bot_metrics::LabelValue;

    #[derive(Clone, Copy, Debug, LabelValue)]
    #[label(rename_all = "SCREAMING_SNAKE_CASE")]
    #[allow(dead_code, reason = "picked at run time")]
    pub(crate) enum Severity {
        Quiet,
        Loud,
    }

    #[derive(Clone, Copy, Debug, LabelValue)]
    #[label(rename_all = "SCREAMING_SNAKE_CASE")]
    #[allow(dead_code, reason = "picked at run time")]
    pub(crate) enum EventType {
        PickedNever,
        PickedOnce,
    }
}

#[operational_event(type = kind, severity = severity, labels = picks)]
fn picked(severity: picks::Severity, kind: picks::EventType) {}

#[operational_event(type = kind, severity = "LOUD", symbol = symbol, labels = picks)]
fn picked_of_a_symbol(kind: picks::EventType, symbol: &str) {}

#[test]
fn every_pair_that_a_site_may_choose_at_run_time_is_zero_from_the_start() {
    metrics();
    let value = |severity, kind| {
        let labels = [("severity", severity), ("type", kind), ("profile_id", ""), ("symbol", "")];
        samples().value("bytelyst_bot_operational_events_total", &labels)
    };
    let all = || {
        ["QUIET", "LOUD"].map(|severity| ["PICKED_NEVER", "PICKED_ONCE"].map(|kind| value(severity, kind)))
    };
    assert_eq!(all(), [[Some(0.0); 2]; 2]);
    picked(picks::Severity::Loud, picks::EventType::PickedOnce);
    picked_of_a_symbol(picks::EventType::PickedNever, "BTCUSDT");
    assert_eq!(all(), [[Some(0.0); 2], [Some(0.0), Some(1.0)]]);
    let _ = picks::Severity::Quiet;
}

struct Order {
    symbol: String,
    quantity: u32,
}

struct Bot {
    profile: String,
}

impl Bot {
    #[operational_event(type = "WITH_TEXTS", severity = "INFO", profile = self.profile, symbol = order.symbol)]
    fn submit(&self, order: Order) -> Result<u32, String> {
        if order.quantity == 0 { Err(order.symbol) } else { Ok(order.quantity) }
    }

    #[operational_event(type = "MOVED", severity = "INFO", on = err, profile = self.profile, symbol = symbol)]
    async fn consume(self, (symbol, _): (&str, Order)) -> Result<Self, (Self, String)> {
        ready(()).await;
        let long = symbol.repeat(2);
        Err((Self { profile: long.clone() }, long))
    }
}

#[test]
fn texts_are_evaluated_before_the_body_moves_their_owner() {
    metrics();
    let bot = Bot { profile: "maker".to_owned() };
    let order = |quantity| Order { symbol: "ETHUSDT".to_owned(), quantity };
    assert!(bot.submit(order(1)).is_ok());
    assert!(bot.submit(order(0)).is_err());
    assert_eq!(events("WITH_TEXTS", "maker", "ETHUSDT"), Some(1.0));
    poll_once(bot.consume(("SOLUSDT", order(1))));
    assert_eq!(events("MOVED", "maker", "SOLUSDT"), Some(1.0));
    let symbol = "A".repeat(100);
    poll_once(Bot { profile: String::new() }.consume((&symbol, order(1))));
    assert_eq!(events("MOVED", "", &symbol), Some(1.0));
}

type Checked = Result<Capital, String>;

struct Account {
    id: String,
    allocated: f64,
}

impl Account {
    #[capital_check(profile = self.id)]
    fn check(&self, used: f64) -> Capital {
        Capital { allocated: self.allocated, positions: used, ..Capital::default() }
    }

    #[capital_check(profile = self.id)]
    async fn fetch(&self, used: Result<f64, &str>) -> Checked {
        let positions = ready(used).await?;
        Ok(Capital { allocated: self.allocated, positions, ..Capital::default() })
    }

    #[capital_check(profile = self.id)]
    #[operational_event(type = "STACKED", severity = "WARNING", on = err)]
    fn stacked(self) -> Checked {
        Ok(Capital { allocated: self.allocated, positions: 1.0, ..Capital::default() })
    }
}

#[test]
fn capital_is_taken_from_the_returned_value() {
    metrics();
    let figures = |profile: &str| {
        let samples = samples();
        let labels = [("profile_id", profile)];
        (
            samples.value("bytelyst_bot_capital_invariant_violations_total", &labels),
            samples.value("bytelyst_bot_profile_utilization_percent", &labels),
        )
    };
    let maker = Account { id: "maker".to_owned(), allocated: 100.0 };
    assert_eq!(figures("maker"), (None, None));
    poll_once(maker.fetch(Err("no answer")));
    assert_eq!(figures("maker"), (Some(0.0), None));
    assert_eq!(maker.check(40.0).positions, 40.0);
    assert_eq!(figures("maker"), (Some(0.0), Some(40.0)));
    poll_once(maker.fetch(Ok(150.0)));
    poll_once(maker.fetch(Err("no answer")));
    maker.check(150.0);
    assert_eq!(figures("maker"), (Some(1.0), Some(150.0)));
    assert!(maker.stacked().is_ok());
    assert_eq!(figures("maker"), (Some(1.0), Some(1.0)));
}

#[reconciliation]
async fn reconcile(found: Option<Result<u64, ()>>) -> Result<ReconciliationReport, ()> {
    match found {
        Some(Ok(0)) => pending().await,
        Some(found) => Ok(ReconciliationReport::new().missing_count(Source::Db, ready(found).await?)),
        None => panic!("in a cycle"),
    }
}

#[reconciliation]
fn reconcile_at_once(key: &str) -> ReconciliationReport {
    ReconciliationReport::new().missing(Source::Exchange, key)
}

#[reconciliation(name = venue)]
fn reconcile_with(venue: String, keys: &[&str]) -> ReconciliationReport {
    drop(venue); // the name was read before
    keys.iter().fold(ReconciliationReport::new(), |report, key| report.missing(Source::Db, *key))
}

/// One test, because the sum is shared.
#[test]
fn only_a_complete_cycle_is_published_and_two_sites_never_disturb_each_other() {
    metrics();
    let figures = || {
        let samples = samples();
        let missing =
            |source| samples.value("bytelyst_bot_reconciliation_missing_items_count", &[("source", source)]);
        let mismatches = samples.value("bytelyst_bot_reconciliation_mismatches_total", &[]);
        (missing("db"), missing("exchange"), mismatches)
    };
    assert_eq!(figures(), (None, None, Some(0.0)));
    let incomplete = || {
        poll_once(reconcile(Some(Err(()))));
        panics(|| poll_once(reconcile(None)));
        poll_once(reconcile(Some(Ok(0))));
        drop(reconcile(Some(Ok(3))));
    };
    incomplete();
    assert_eq!(figures(), (None, None, Some(0.0)));
    poll_once(reconcile(Some(Ok(4))));
    assert_eq!(figures(), (Some(4.0), Some(0.0), Some(0.0)));
    incomplete();
    assert_eq!(figures(), (Some(4.0), Some(0.0), Some(0.0)));
    assert_eq!(reconcile_at_once("order 1").missing_from(Source::Exchange), 1);
    reconcile_at_once("order 1");
    assert_eq!(figures(), (Some(4.0), Some(1.0), Some(1.0)), "the sum of both");
    // A site that compares with two exchanges keeps a separate last cycle for each.
    for _ in 0..2 {
        reconcile_with("east".to_owned(), &["order 1", "order 2"]);
        reconcile_with("west".to_owned(), &["order 1"]);
        assert_eq!(figures(), (Some(7.0), Some(1.0), Some(4.0)));
    }
    reconcile_with("west".to_owned(), &[]);
    poll_once(reconcile(Some(Ok(1))));
    assert_eq!(figures(), (Some(3.0), Some(1.0), Some(4.0)));
    // A handle of the same name is a separate reconciliation.
    metrics().named_reconciliation("east").commit(ReconciliationReport::new());
    assert_eq!(figures(), (Some(3.0), Some(1.0), Some(4.0)));
}
