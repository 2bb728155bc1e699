//! An allocator that records under one of the library's locks does not wait for any of them: with each attribute, and
//! with each handle, made under the lock or before.

use std::process::Command;
use std::sync::LazyLock;

use bot_metrics::labels::{EventType, Exchange, Operation, RateLimit, Severity, Source, Subsystem};
use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;
use bot_metrics::{
    ExchangeCallHandle, MarketDataHandle, ProfileHandle, RateLimitHandle, ReconciliationReport,
    SubsystemHandle, Symbol,
};

use crate::{NESTED, RECORDS, ends_well};

bot_metrics::metrics! {
    /// Allocations.
    counter allocations_total { symbol: Symbol }
    /// Size of an allocation.
    gauge allocation_size { symbol: Symbol }
    /// Calls.
    counter calls_total
    /// Duration of an allocation.
    histogram allocation_took_seconds { symbol: Symbol } buckets(0.1)
}

#[capital_check(profile = "allocator")]
fn capital() -> Capital {
    Capital { allocated: 1.0, positions: 2.0, ..Capital::default() }
}

#[reconciliation]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::new().new_mismatches(1)
}

#[exchange_call(op = "get_candles", exchange = "kraken")]
fn exchange() {}

#[timed_subsystem("monitor")]
fn subsystem() {}

#[operational_event(
    type = "ORDER_FAILURE",
    severity = "ERROR",
    profile = "allocator",
    text = "of an allocator"
)]
fn event() {}

#[counted(allocations_total, symbol = "COUNTED")]
fn counted() {}

static METRICS: LazyLock<Metrics> =
    LazyLock::new(|| Settings::new(Mode::Paper).install().expect("one installation"));

#[timed(allocation_took_seconds, symbol = "TIMED")]
fn timed() {}

/// Handles that are made before.
struct Handles {
    profile: ProfileHandle,
    feed: MarketDataHandle,
    limit: RateLimitHandle,
    call: ExchangeCallHandle,
    subsystem: SubsystemHandle,
    counter: bot_metrics::Counter,
    gauge: bot_metrics::Gauge,
}

static HANDLES: LazyLock<Handles> = LazyLock::new(|| Handles {
    profile: METRICS.profile("handle"),
    feed: METRICS.market_data(Exchange::Kraken, "HANDLE"),
    limit: METRICS.rate_limit(Exchange::Kraken, RateLimit::RequestWeight),
    call: METRICS.exchange_call(Exchange::Kraken, Operation::Subscribe),
    subsystem: METRICS.subsystem(Subsystem::Trading),
    counter: allocations_total("HANDLE"),
    gauge: allocation_size("HANDLE"),
});

fn handles() {
    let Handles { profile, feed, limit, call, subsystem, counter, gauge } = &*HANDLES;
    profile.update(Capital { allocated: 1.0, positions: 2.0, ..Capital::default() });
    profile.update(Capital { allocated: f64::NAN, ..Capital::default() });
    profile.remove();
    feed.updated();
    feed.remove();
    limit.set_used(1.0, 2.0);
    call.start().finish(Outcome::Ok);
    subsystem.start().finish(Outcome::Ok);
    subsystem.pause("an allocator");
    subsystem.resume();
    subsystem.unregister();
    drop(subsystem.clone().with_max_age(std::time::Duration::from_mins(1)));
    counter.increment();
    counter.remove();
    gauge.set(1.0);
    gauge.remove();
    METRICS.event(Severity::Info, EventType::Started).profile("handle").text("again").record();
    METRICS.reconciliation().commit(ReconciliationReport::new().missing_count(Source::Db, 1));
}

fn made_there() {
    METRICS.profile("late").update(Capital { allocated: 1.0, ..Capital::default() });
    METRICS.market_data(Exchange::Kraken, "LATE").updated();
    METRICS.rate_limit(Exchange::Kraken, RateLimit::Orders).set_used(1.0, 2.0);
    METRICS.exchange_call(Exchange::Okx, Operation::Subscribe).start().finish(Outcome::Ok);
    METRICS.subsystem(Subsystem::Reconciliation).start().finish(Outcome::Ok);
    allocations_total("LATE").increment();
    calls_total().increment();
    METRICS.named_reconciliation("late").commit(ReconciliationReport::new());
    drop(Metrics::installed());
}

/// The ways in which the allocator records, and whether the hook may be called by its own allocations.
const KINDS: [(&str, fn(), bool); 9] = [
    ("capital_check", check_capital, true),
    ("reconciliation", reconcile_once, true),
    ("exchange_call", exchange, true),
    ("timed_subsystem", subsystem, true),
    ("operational_event", event, true),
    ("counted", counted, true),
    ("timed", timed, true),
    ("handles", handles, false),
    ("handles that are made there", made_there, false),
];

fn check_capital() {
    let _ = capital();
}

fn reconcile_once() {
    let _ = reconcile();
}

/// Takes each lock and allocates under it, for the first time and again.
fn work(round: usize) {
    let name = format!("work-{round}");
    let profile = METRICS.profile(&name);
    profile.update(Capital { allocated: 1.0, positions: 2.0, ..Capital::default() });
    METRICS.event(Severity::Error, EventType::OrderFailure).profile(&name).symbol(&name).text(&name).record();
    let feed = METRICS.market_data(Exchange::Binance, &name);
    feed.updated();
    METRICS.rate_limit(Exchange::Binance, RateLimit::RequestWeight).set_used(1.0, 2.0);
    METRICS
        .exchange_call(Exchange::Binance, [Operation::PlaceOrder, Operation::CancelOrder][round % 2])
        .start()
        .finish(Outcome::Ok);
    METRICS.subsystem(Subsystem::Monitor).start().finish(Outcome::Ok);
    METRICS
        .named_reconciliation(&name)
        .commit(ReconciliationReport::new().missing(Source::Db, name.as_str()));
    allocations_total(&name).increment();
    allocation_size(&name).set(1.0);
    allocation_took_seconds(&name).observe(1.0);
    profile.remove();
    feed.remove();
    drop(METRICS.exposition());
    drop(METRICS.snapshot());
}

const KIND: &str = "BOT_METRICS_TEST_ALLOCATOR_RECORDS_UNDER_LOCKS";

#[test]
fn an_allocator_that_records_under_a_lock_does_not_wait() {
    if let Ok(kind) = std::env::var(KIND) {
        let (_, record, is_nested) = KINDS.into_iter().find(|(name, ..)| *name == kind).expect("one of them");
        let _ = (&*METRICS, &*HANDLES);
        NESTED.set(is_nested);
        for round in 0..4 {
            RECORDS.set(Some(record));
            work(round);
            RECORDS.set(None);
        }
        // No lock is left locked, and recordings that were lost are counted.
        work(5);
        record();
        let lost = Samples::of(&METRICS).value("bytelyst_bot_recordings_lost_total", &[]);
        assert!(lost.is_some_and(|lost| lost > 0.0), "{lost:?}");
        return;
    }
    for (kind, ..) in KINDS {
        let mut child = Command::new(std::env::current_exe().expect("a path"));
        child.args(["--exact", "under_locks::an_allocator_that_records_under_a_lock_does_not_wait"]);
        ends_well(child.env(KIND, kind), kind);
    }
}
