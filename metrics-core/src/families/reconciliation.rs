//! Reconciliation: mismatches between the bot's records and the exchange's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::LabelValue;
use crate::catalogue;
use crate::clock::Clock;
use crate::labels::Source;
use crate::labels::value::OTHER;
use crate::lock::{self, Lock};
use crate::report::{Report, Topic};
use crate::shown::quoted;
use crate::storage::{ENABLED, Sink, lose, record_outside, to_f64};

/// The result of one complete comparison.
///
/// A mismatch with a key is compared with the last cycle: it counts once for as long as it lasts. One without a key
/// is taken as new each time.
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
    mismatches: BTreeSet<(MismatchKind, String)>,
    missing: [u64; Source::VALUES.len()],
    new_mismatches: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum MismatchKind {
    Differs,
    MissingFromDb,
    MissingFromExchange,
}

/// Kind and source of each, in the same order; the last is for mismatches without keys.
pub(crate) const MISMATCH_KINDS: [[&str; 2]; 4] =
    [["differs", ""], ["missing", "db"], ["missing", "exchange"], ["unspecified", ""]];

const UNSPECIFIED: usize = 3;

impl ReconciliationReport {
    /// A report without mismatches.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an item that is missing from `source`; `key` must be the same in each cycle that finds it.
    #[must_use]
    pub fn missing(mut self, source: Source, key: impl Into<String>) -> Self {
        let kind = match source {
            Source::Db => MismatchKind::MissingFromDb,
            Source::Exchange => MismatchKind::MissingFromExchange,
        };
        if self.mismatches.insert((kind, key.into())) {
            self.add_missing(source, 1);
        }
        self
    }

    /// Adds an item that both sides have with different contents; `key` must be the same in each cycle that finds it.
    #[must_use]
    pub fn differs(mut self, key: impl Into<String>) -> Self {
        self.mismatches.insert((MismatchKind::Differs, key.into()));
        self
    }

    /// Adds `count` items without keys that are missing from `source`. They count as mismatches only through
    /// [`new_mismatches`](Self::new_mismatches), which gives the number of new ones.
    #[must_use]
    pub fn missing_count(mut self, source: Source, count: u64) -> Self {
        self.add_missing(source, count);
        self
    }

    /// Adds `count` mismatches without keys, all of them new. The sum saturates.
    #[must_use]
    pub fn new_mismatches(mut self, count: u64) -> Self {
        self.new_mismatches = self.new_mismatches.saturating_add(count);
        self
    }

    fn add_missing(&mut self, source: Source, count: u64) {
        let missing = &mut self.missing[source.index()];
        *missing = missing.saturating_add(count);
    }

    /// The number of items missing from `source`.
    #[must_use]
    pub fn missing_from(&self, source: Source) -> u64 {
        self.missing[source.index()]
    }
}

/// The maximum number of names. Each keeps the result of its last cycle for ever; a bot compares a handful of things.
const MOST_NAMES: usize = 200;

/// A call site, identified by its address and named in reports.
type NamedSite = &'static (dyn fmt::Display + Sync);

/// The reconciliations of an instance.
#[derive(Debug)]
pub(crate) struct Reconciliations {
    clock: Clock,
    state: Lock<ReconciliationState>,
}

#[derive(Debug, Default)]
struct ReconciliationState {
    /// The sums over all reconciliations.
    mismatches: [u64; MISMATCH_KINDS.len()],
    /// The boot time of the last commit.
    committed_at: Option<Duration>,
    /// The boot time of the commit since which items have been missing from each source.
    missing_since: [Option<Duration>; Source::VALUES.len()],
    each: BTreeMap<Arc<ReconciliationKey>, Reconciliation>,
}

/// Identifies a reconciliation: each annotated function has separate names, and so have the handles.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReconciliationKey {
    /// The address of its call site; `None` for a handle's.
    site: Option<usize>,
    name: String,
}

/// One repeated comparison, for example of orders, or with one of several exchanges.
#[derive(Debug, Default)]
struct Reconciliation {
    /// The number of cycles that have begun.
    begun: u64,
    last: Option<Committed>,
}

/// The committed cycle that began last.
#[derive(Debug)]
struct Committed {
    number: u64,
    missing: [u64; Source::VALUES.len()],
    known: BTreeSet<(MismatchKind, String)>,
}

impl Reconciliations {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, state: Lock::default() }
    }

    /// Whether a cycle has begun, even if none was committed.
    #[cfg(feature = "page")]
    pub(crate) fn has_begun(&self) -> bool {
        !self.state.lock().each.is_empty()
    }

    /// The boot time of the last committed cycle.
    #[cfg(feature = "page")]
    pub(crate) fn committed_at(&self) -> Option<Duration> {
        self.state.lock().committed_at
    }

    /// The boot time of the commit since which items have been missing from each source; `None` while none is.
    #[cfg(feature = "page")]
    pub(crate) fn missing_since(&self) -> [Option<Duration>; Source::VALUES.len()] {
        self.state.lock().missing_since
    }

    /// The number of cycles that this call site has begun.
    #[cfg(feature = "page")]
    pub(crate) fn begun_at(&self, site: NamedSite) -> u64 {
        let site = Some(std::ptr::from_ref(site).addr());
        let state = self.state.lock();
        state.each.iter().filter(|(key, _)| key.site == site).map(|(_, cycles)| cycles.begun).sum()
    }

    /// The number of a cycle that begins now, and the key under which it is stored.
    fn begin(&self, site: Option<NamedSite>, name: &str) -> (Arc<ReconciliationKey>, u64) {
        let mut key = ReconciliationKey {
            site: site.map(|site| std::ptr::from_ref(site).addr()),
            name: name.to_owned(),
        };
        let mut state = self.state.lock();
        if state.each.len() >= MOST_NAMES && !state.each.contains_key(&key) {
            OTHER.clone_into(&mut key.name);
        }
        let existing = state.each.get_key_value(&key).map(|(existing, _)| Arc::clone(existing));
        let key = existing.unwrap_or_else(|| Arc::new(key));
        let reconciliation = state.each.entry(Arc::clone(&key)).or_default();
        reconciliation.begun += 1;
        (key, reconciliation.begun)
    }

    /// Publishes both sources and the mismatches together.
    fn commit(&self, key: &ReconciliationKey, number: u64, report: ReconciliationReport) {
        let ReconciliationReport { mismatches, missing, new_mismatches } = report;
        let mut state = self.state.lock();
        let now = self.clock.boot_time();
        state.committed_at = Some(now);
        let ReconciliationState { mismatches: totals, each, .. } = &mut *state;
        totals[UNSPECIFIED] = totals[UNSPECIFIED].saturating_add(new_mismatches);
        let Some(reconciliation) = each.get_mut(key) else { return };
        let known = match &reconciliation.last {
            // Its result is older than the current one, and the result before that is no longer known.
            Some(last) if last.number > number => return,
            last => last.as_ref().map(|last| &last.known),
        };
        for (kind, _) in mismatches.iter().filter(|found| known.is_none_or(|known| !known.contains(found))) {
            totals[*kind as usize] = totals[*kind as usize].saturating_add(1);
        }
        reconciliation.last = Some(Committed { number, missing, known: mismatches });
        let missing = state.missing().unwrap_or_default();
        for (since, missing) in state.missing_since.iter_mut().zip(missing) {
            *since = (missing > 0).then(|| since.unwrap_or(now));
        }
    }

    /// The mismatches of each kind, and the items missing from each source by the last committed cycles, which are
    /// absent before the first of any.
    fn totals(&self) -> ([u64; MISMATCH_KINDS.len()], Option<[u64; Source::VALUES.len()]>) {
        let state = self.state.lock();
        (state.mismatches, state.missing())
    }

    pub(crate) fn collect(&self, sink: &mut dyn Sink) {
        // No lock is held while the sink writes.
        let (mismatches, missing) = self.totals();
        let all = mismatches.iter().copied().fold(0, u64::saturating_add);
        sink.counter(&catalogue::RECONCILIATION_MISMATCHES_TOTAL, &[], all);
        for (labels, mismatches) in MISMATCH_KINDS.iter().zip(mismatches) {
            sink.counter(&catalogue::RECONCILIATION_MISMATCHES_BY_KIND_TOTAL, labels, mismatches);
        }
        for (source, missing) in Source::VALUES.iter().zip(missing.iter().flatten()) {
            sink.gauge(&catalogue::RECONCILIATION_MISSING_ITEMS_COUNT, &[source], to_f64(*missing));
        }
    }
}

impl ReconciliationState {
    /// The items missing from each source by the last committed cycles; `None` before the first of any.
    fn missing(&self) -> Option<[u64; Source::VALUES.len()]> {
        let committed = self.each.values().filter_map(|reconciliation| reconciliation.last.as_ref());
        let add = |[db, exchange]: [u64; 2], more: [u64; 2]| {
            [db.saturating_add(more[0]), exchange.saturating_add(more[1])]
        };
        committed.map(|last| last.missing).reduce(add)
    }
}

/// A comparison in progress; from [`Metrics::reconciliation`](crate::Metrics::reconciliation) and
/// [`Metrics::named_reconciliation`](crate::Metrics::named_reconciliation).
///
/// Dropped without [`commit`](Self::commit), for example because a fetch failed, it publishes nothing: the gauges
/// keep the result of the last complete cycle.
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
pub struct ReconciliationCycle(Option<Begun>);

/// A cycle that has begun; `None` if an allocator began it under a lock.
#[derive(Debug)]
struct Begun {
    reconciliations: Arc<Reconciliations>,
    // Shared, because futures contain a cycle.
    key: Arc<ReconciliationKey>,
    number: u64,
}

impl ReconciliationCycle {
    /// Begins a cycle of the reconciliation of this name, of a call site or of the handles.
    pub(crate) fn begin(
        reconciliations: impl FnOnce() -> Arc<Reconciliations>,
        site: Option<NamedSite>,
        name: &str,
        report: impl FnOnce() -> Report,
    ) -> Self {
        let begun = lock::outside(|| {
            let reconciliations = reconciliations();
            let (key, number) = reconciliations.begin(site, name);
            Begun { reconciliations, key, number }
        });
        if let Some(Begun { key, .. }) = &begun
            && ENABLED
            && key.name != name
        {
            let place = site.map(ToString::to_string).unwrap_or_default();
            report().tell(
                Topic::Reconciliations,
                &place,
                format_args!(
                    "the reconciliation {} is kept under the name \"other\", with all beyond {MOST_NAMES} names: name what \
                     is compared, not each comparison",
                    quoted(name)
                ),
            );
        }
        Self(begun)
    }

    /// Publishes the result of a complete comparison. If a cycle of the same reconciliation that began later was
    /// committed before, this result is out of date, and only its
    /// [`new_mismatches`](ReconciliationReport::new_mismatches) are counted.
    pub fn commit(self, report: ReconciliationReport) {
        if !ENABLED {
            return;
        }
        let Some(Begun { reconciliations, key, number }) = self.0 else { return lose() };
        record_outside(|| reconciliations.commit(&key, number, report));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Families;
    use crate::storage::{SnapshotBuilder, Value};

    fn totals(reconciliations: &Reconciliations) -> (u64, Option<[u64; 2]>) {
        let (mismatches, missing) = reconciliations.totals();
        (mismatches.iter().sum(), missing)
    }

    fn commit(reconciliations: &Reconciliations, name: &str, report: ReconciliationReport) {
        let (key, number) = reconciliations.begin(None, name);
        reconciliations.commit(&key, number, report);
    }

    #[test]
    fn a_mismatch_counts_once_while_it_lasts_and_again_when_it_returns() {
        let reconciliations = Reconciliations::new(Clock::System);
        let ghost = || ReconciliationReport::new().missing(Source::Exchange, "order 1");
        let both = || ghost().missing(Source::Db, "order 1").differs("order 2");
        assert_eq!(totals(&reconciliations), (0, None));
        for (report, expected) in [
            (ghost(), (1, Some([0, 1]))),
            (ghost(), (1, Some([0, 1]))),
            (both(), (3, Some([1, 1]))),
            (ReconciliationReport::new(), (3, Some([0, 0]))),
            (ghost(), (4, Some([0, 1]))),
        ] {
            commit(&reconciliations, "", report);
            assert_eq!(totals(&reconciliations), expected);
        }
    }

    #[test]
    fn a_key_named_twice_is_one_item() {
        let report = ReconciliationReport::new().missing(Source::Db, "a").missing(Source::Db, "a");
        assert_eq!(report.missing_from(Source::Db), 1);
    }

    #[test]
    fn counts_without_keys_are_new_each_time() {
        let reconciliations = Reconciliations::new(Clock::System);
        for total in [2, 4] {
            let report = ReconciliationReport::new().missing_count(Source::Db, 5).new_mismatches(2);
            commit(&reconciliations, "", report);
            assert_eq!(totals(&reconciliations), (total, Some([5, 0])));
        }
    }

    #[test]
    fn counts_saturate() {
        let endless = || {
            let missing =
                ReconciliationReport::new().missing_count(Source::Db, u64::MAX).missing(Source::Db, "a");
            missing.missing_count(Source::Db, u64::MAX).new_mismatches(u64::MAX).new_mismatches(u64::MAX)
        };
        assert_eq!(endless().missing_from(Source::Db), u64::MAX);
        let reconciliations = Reconciliations::new(Clock::System);
        for name in ["orders", "positions", "orders"] {
            commit(&reconciliations, name, endless());
            let mut snapshot = SnapshotBuilder::new(Families::All);
            reconciliations.collect(&mut snapshot);
            let total = &snapshot.finish().families[0].samples[0];
            assert_eq!(total.value, Value::Counter(u64::MAX));
            assert_eq!(reconciliations.totals().1, Some([u64::MAX, 0]));
        }
    }

    #[test]
    fn any_number_of_names_takes_bounded_memory_and_loses_no_mismatch() {
        let reconciliations = Reconciliations::new(Clock::System);
        for name in 0..1_000 {
            let report = ReconciliationReport::new().differs(format!("order {name}"));
            commit(&reconciliations, &name.to_string(), report);
        }
        assert_eq!(reconciliations.state.lock().each.len(), MOST_NAMES + 1);
        assert_eq!(totals(&reconciliations), (1_000, Some([0, 0])));
    }
}
