//! Reconciliation: what differs between the bot's records and the exchange's.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::catalogue;
use crate::guard::Guard;
use crate::labels::Source;
use crate::lock::{Held, Lock};
use crate::registry::{self, Core};
use crate::storage::Sink;
use crate::{LabelValue, Outcome};

/// What one complete comparison found.
///
/// A mismatch with a key is told apart from the last cycle's: it counts once for as long as it lasts. One that is
/// only counted is taken as new each time.
///
/// ```
/// use bot_metrics::ReconciliationReport;
/// use bot_metrics::labels::Source;
///
/// let report = ReconciliationReport::new()
///     .missing(Source::Db, "order 4711")
///     .differs("order 4712: filled quantity");
/// assert_eq!(report.missing_from(Source::Db), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReconciliationReport {
    mismatches: BTreeSet<(Kind, String)>,
    missing: [u64; Source::VALUES.len()],
    new_mismatches: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Differs,
    MissingFromDb,
    MissingFromExchange,
}

/// Kind and source of each, in the same order, and of those without keys.
const KINDS: [[&str; 2]; 4] =
    [["differs", ""], ["missing", "db"], ["missing", "exchange"], ["unspecified", ""]];

const UNSPECIFIED: usize = 3;

impl ReconciliationReport {
    /// A report of a comparison that found nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an item that is missing from `source`; `key` is the same in each cycle that finds it.
    #[must_use]
    pub fn missing(mut self, source: Source, key: impl Into<String>) -> Self {
        let kind = match source {
            Source::Db => Kind::MissingFromDb,
            Source::Exchange => Kind::MissingFromExchange,
        };
        if self.mismatches.insert((kind, key.into())) {
            self.missing[source.index()] += 1;
        }
        self
    }

    /// Adds an item that both have but not alike; `key` is the same in each cycle that finds it.
    #[must_use]
    pub fn differs(mut self, key: impl Into<String>) -> Self {
        self.mismatches.insert((Kind::Differs, key.into()));
        self
    }

    /// Adds `count` items without keys that are missing from `source`. They are no mismatches until
    /// [`new_mismatches`](Self::new_mismatches) says how many of them are new.
    #[must_use]
    pub fn missing_count(mut self, source: Source, count: u64) -> Self {
        self.missing[source.index()] += count;
        self
    }

    /// Adds `count` mismatches without keys, all of them new.
    #[must_use]
    pub fn new_mismatches(mut self, count: u64) -> Self {
        self.new_mismatches += count;
        self
    }

    /// How many items are missing from `source`.
    #[must_use]
    pub fn missing_from(&self, source: Source) -> u64 {
        self.missing[source.index()]
    }
}

/// The reconciliation of an instance.
#[derive(Debug, Default)]
pub(crate) struct Reconciliation(Lock<State>);

#[derive(Debug, Default)]
struct State {
    mismatches: [u64; KINDS.len()],
    /// The last committed cycle's; absent before the first.
    missing: Option<[u64; Source::VALUES.len()]>,
    known: BTreeSet<(Kind, String)>,
}

impl Reconciliation {
    fn state(&self) -> Held<'_, State> {
        self.0.hold()
    }

    /// Publishes both sources and the mismatches together.
    fn commit(&self, report: ReconciliationReport) {
        let mut state = self.state();
        for (kind, _) in report.mismatches.difference(&state.known).map(Clone::clone).collect::<Vec<_>>() {
            state.mismatches[kind as usize] += 1;
        }
        state.mismatches[UNSPECIFIED] += report.new_mismatches;
        state.missing = Some(report.missing);
        state.known = report.mismatches;
    }

    pub(crate) fn collect(&self, sink: &mut dyn Sink) {
        let state = self.state();
        let State { mismatches, missing, .. } = *state;
        // No lock is held while the sink writes.
        drop(state);
        sink.counter(&catalogue::RECONCILIATION_MISMATCHES_TOTAL, &[], mismatches.iter().sum());
        for (labels, mismatches) in KINDS.iter().zip(mismatches) {
            sink.counter(&catalogue::RECONCILIATION_MISMATCHES_BY_KIND_TOTAL, labels, mismatches);
        }
        for (source, missing) in Source::VALUES.iter().zip(missing.iter().flatten()) {
            #[expect(clippy::cast_precision_loss, reason = "2^53 missing orders do not exist")]
            let missing = *missing as f64;
            sink.gauge(&catalogue::RECONCILIATION_MISSING_ITEMS_COUNT, &[source], missing);
        }
    }
}

/// A comparison under way; from [`Metrics::reconciliation`](crate::Metrics::reconciliation).
///
/// Dropped without [`commit`](Self::commit), because a fetch failed say, it publishes nothing: the gauges keep what
/// the last complete cycle found.
///
/// ```
/// # use bot_metrics::{Mode, ReconciliationReport, Settings, labels::Source};
/// # fn fetch_open_orders() -> Result<Vec<String>, std::io::Error> { Ok(vec![]) }
/// let metrics = Settings::new(Mode::Paper).build()?;
///
/// let cycle = metrics.reconciliation();
/// let on_exchange = fetch_open_orders()?; // an error leaves the gauges as they are
/// let mut report = ReconciliationReport::new();
/// for order in on_exchange {
///     report = report.missing(Source::Db, order);
/// }
/// cycle.commit(report);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a cycle publishes nothing until it is committed"]
pub struct ReconciliationCycle {
    core: Arc<Core>,
}

impl ReconciliationCycle {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Publishes what a complete comparison found.
    pub fn commit(self, report: ReconciliationReport) {
        self.core.reconciliation.commit(report);
    }
}

/// What a function under `#[reconciliation]` returns.
#[diagnostic::on_unimplemented(
    message = "`#[reconciliation]` stands over a function that returns `ReconciliationReport` or `Result<ReconciliationReport, E>`",
    label = "this is neither",
    note = "compare in a function of its own and put the attribute over that"
)]
pub trait ReconciliationRun {
    /// What was found, unless there is an error in its place.
    fn report(&self) -> Option<&ReconciliationReport>;
}

impl ReconciliationRun for ReconciliationReport {
    fn report(&self) -> Option<&ReconciliationReport> {
        Some(self)
    }
}

impl<E> ReconciliationRun for Result<ReconciliationReport, E> {
    fn report(&self) -> Option<&ReconciliationReport> {
        self.as_ref().ok()
    }
}

/// The verdict on a returned value. The function keeps its report, so the cycle takes a copy.
pub fn report_of<R: ReconciliationRun>(value: &R) -> Option<ReconciliationReport> {
    value.report().cloned()
}

/// An annotated function that is one cycle of reconciliation.
#[derive(Debug)]
pub struct ReconciliationSite;

impl ReconciliationSite {
    /// Begins a cycle.
    pub fn start(&'static self) -> ReconciliationCycle {
        ReconciliationCycle::new(registry::process_instance())
    }
}

impl Guard for ReconciliationCycle {
    type Verdict = Option<ReconciliationReport>;

    fn finish(self, report: Option<ReconciliationReport>) {
        if let Some(report) = report {
            self.commit(report);
        }
    }

    fn abandon(self, _: Outcome) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(reconciliation: &Reconciliation) -> (u64, Option<[u64; 2]>) {
        let state = reconciliation.state();
        (state.mismatches.iter().sum(), state.missing)
    }

    #[test]
    fn a_mismatch_counts_once_while_it_lasts_and_again_when_it_returns() {
        let reconciliation = Reconciliation::default();
        let ghost = || ReconciliationReport::new().missing(Source::Exchange, "order 1");
        let both = || ghost().missing(Source::Db, "order 1").differs("order 2");
        assert_eq!(totals(&reconciliation), (0, None));
        for (report, expected) in [
            (ghost(), (1, Some([0, 1]))),
            (ghost(), (1, Some([0, 1]))),
            (both(), (3, Some([1, 1]))),
            (ReconciliationReport::new(), (3, Some([0, 0]))),
            (ghost(), (4, Some([0, 1]))),
        ] {
            reconciliation.commit(report);
            assert_eq!(totals(&reconciliation), expected);
        }
    }

    #[test]
    fn a_key_named_twice_is_one_item() {
        let report = ReconciliationReport::new().missing(Source::Db, "a").missing(Source::Db, "a");
        assert_eq!(report.missing_from(Source::Db), 1);
    }

    #[test]
    fn counts_without_keys_are_new_each_time() {
        let reconciliation = Reconciliation::default();
        for total in [2, 4] {
            reconciliation.commit(ReconciliationReport::new().missing_count(Source::Db, 5).new_mismatches(2));
            assert_eq!(totals(&reconciliation), (total, Some([5, 0])));
        }
    }
}
