//! Differences between two moments.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::samples::{Samples, Series};
use crate::Metrics;
use crate::source_line::SourceLine;

/// The changes between two moments: from [`Samples::until`] or [`Watch::changes`].
///
/// In [`assert_metric!`](crate::assert_metric) the value of a series is its increase: 0 if it did not change, and its
/// whole value if it is new.
///
/// ```
/// use bot_metrics::labels::{EventType, Severity};
/// use bot_metrics::testing::{Samples, instance};
///
/// let (metrics, _) = instance();
/// let before = Samples::of(&metrics);
/// metrics.event(Severity::Info, EventType::OrderPlaced).count(2).record();
/// let changes = before.until(&Samples::of(&metrics));
/// assert_eq!(
///     changes.to_string(),
///     "bytelyst_bot_operational_events_total{app=\"bytelyst-trading-bot-service\",env=\"development\",mode=\"paper\",\
///      profile_id=\"\",severity=\"INFO\",symbol=\"\",type=\"ORDER_PLACED\"} none -> 2\n"
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    changes: Vec<Change>,
    differences: Samples,
}

/// A series that changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The series.
    pub series: Series,
    /// Its value at the first moment; `None` if it did not exist yet.
    pub before: Option<f64>,
    /// Its value at the second moment; `None` if it no longer exists.
    pub after: Option<f64>,
}

impl Changes {
    pub(super) fn between(before: &Samples, after: &Samples) -> Self {
        let all: BTreeSet<_> = before.iter().chain(after.iter()).map(|(series, _)| series.clone()).collect();
        let change = |series| Change { before: before.get(&series), after: after.get(&series), series };
        let mut changes: Vec<_> = all.into_iter().map(change).collect();
        let difference = |change: &Change| Some((change.series.clone(), change.difference()?));
        let differences = changes.iter().filter_map(difference).collect();
        changes.retain(Change::is_one);
        Self { changes, differences }
    }

    /// The series that changed, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter()
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(super) fn differences(&self) -> &Samples {
        &self.differences
    }
}

impl Change {
    /// Its increase; `None` if it no longer exists.
    fn difference(&self) -> Option<f64> {
        let (before, after) = (self.before.unwrap_or_default(), self.after?);
        // Infinity minus infinity is not a number.
        Some(if same(before, after) { 0.0 } else { after - before })
    }

    fn is_one(&self) -> bool {
        !self.before.zip(self.after).is_some_and(|(before, after)| same(before, after))
    }
}

fn same(one: f64, other: f64) -> bool {
    one == other || (one.is_nan() && other.is_nan())
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
        write!(f, "{} {} -> {}", self.series, told(self.before), told(self.after))
    }
}

/// Records the changes in `metrics` from here on, and keeps other watches waiting until it is dropped. Tests of
/// annotated functions run concurrently in one process and record to one instance. If each of them begins with a watch,
/// each reads only its own changes; what a test without a watch records appears among the changes of another.
///
/// # Panics
///
/// If this thread is watching already, because it would deadlock.
#[must_use = "what changes is read from it"]
#[track_caller]
pub fn watch(metrics: &Metrics) -> Watch {
    let alone = Alone::begin();
    Watch { before: Samples::of(metrics), metrics: metrics.clone(), _alone: alone }
}

thread_local! {
    /// The location at which the watch of this thread began, if it has one.
    static WATCHES_SINCE: Cell<Option<SourceLine>> = const { Cell::new(None) };
}

/// Keeps other threads from watching.
#[derive(Debug)]
struct Alone {
    /// Also keeps a watch on its thread, because it is not `Send`.
    _lock: MutexGuard<'static, ()>,
}

impl Alone {
    #[track_caller]
    fn begin() -> Self {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        if let Some(first) = WATCHES_SINCE.get() {
            panic!("this thread watches already, since {first}: drop that `Watch` first");
        }
        // A test that failed while it watched has left nothing to clean up.
        let lock = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        WATCHES_SINCE.set(Some(SourceLine::of_caller()));
        Self { _lock: lock }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        WATCHES_SINCE.set(None);
    }
}

/// A watch from [`watch`].
#[derive(Debug)]
pub struct Watch {
    metrics: Metrics,
    before: Samples,
    _alone: Alone,
}

impl Watch {
    /// The changes since the watch began.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.before.until(&Samples::of(&self.metrics))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_metric;
    use crate::labels::{EventType, Severity};
    use crate::testing::{ABSENT, instance};

    fn samples(text: &str) -> Samples {
        Samples::parse(&format!("{text}\n")).expect("legal")
    }

    #[test]
    fn new_increased_removed_and_constant_series_are_distinguished() {
        let before = samples("a 1\nb 2\nc +Inf\nd NaN\ne 4\ng 0");
        let after = samples("a 1\nb 5\nc +Inf\nd NaN\nf 6\ng +Inf");
        let changes = before.until(&after);
        assert_eq!(changes.to_string(), "b 2 -> 5\ne 4 -> none\nf none -> 6\ng 0 -> inf\n");
        assert_metric!(changes, "a", 0);
        assert_metric!(changes, "b", 3);
        assert_metric!(changes, "c", 0);
        assert_metric!(changes, "d", 0);
        assert_metric!(changes, "e", ABSENT);
        assert_metric!(changes, "f", 6);
        assert_metric!(changes, "g", f64::INFINITY);
        assert!(before.until(&before).is_empty());
        assert_eq!(before.until(&samples("# none")).iter().count(), 6);
    }

    #[test]
    fn a_second_watch_of_a_thread_panics_with_the_location_of_the_first() {
        let (metrics, _) = instance();
        let (first, line) = (watch(&metrics), line!());
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| watch(&metrics)));
        let panic = panic.expect_err("it would wait for itself");
        let message = panic.downcast_ref::<String>().expect("a formatted message");
        assert_eq!(
            *message,
            format!("this thread watches already, since {}:{line}: drop that `Watch` first", file!())
        );
        drop(first);
        let _again = watch(&metrics);
    }

    #[test]
    fn watches_come_one_after_the_other() {
        const TESTS: u64 = 8;
        let (metrics, _) = instance();
        std::thread::scope(|scope| {
            for test in 1..=TESTS {
                let metrics = &metrics;
                scope.spawn(move || {
                    let watch = watch(metrics);
                    for _ in 0..test {
                        metrics.event(Severity::Info, EventType::Started).record();
                        std::thread::yield_now();
                    }
                    assert_metric!(
                        watch.changes(),
                        "bytelyst_bot_operational_events_total{type='STARTED'}",
                        test
                    );
                });
            }
        });
        let all = TESTS * (TESTS + 1) / 2;
        assert_metric!(metrics, "bytelyst_bot_operational_events_total{type='STARTED'}", all);
    }

    #[test]
    fn concurrent_instances_are_independent() {
        std::thread::scope(|scope| {
            for test in 0..8u64 {
                scope.spawn(move || {
                    let (metrics, clock) = instance();
                    let trading = metrics.subsystem(crate::labels::Subsystem::Trading);
                    for _ in 0..=test {
                        metrics.event(Severity::Error, EventType::OrderFailure).symbol("BTCUSDT").record();
                        let run = trading.start();
                        clock.advance(std::time::Duration::from_secs(test));
                        run.finish(crate::Outcome::Ok);
                        std::thread::yield_now();
                    }
                    assert_metric!(
                        metrics,
                        "bytelyst_bot_operational_events_total{symbol='BTCUSDT'}",
                        test + 1
                    );
                    assert_metric!(metrics, "bytelyst_bot_subsystem_duration_seconds_count", test + 1);
                    assert_metric!(metrics, "bytelyst_bot_subsystem_duration_seconds_sum", test * (test + 1));
                });
            }
        });
    }
}
