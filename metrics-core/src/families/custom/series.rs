//! The series of a bot's own families.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::family::CustomFamily;
use super::label::{Label as _, LabelType, ProfileId, standing_sets};
use crate::catalogue::Kind;
use crate::labels::bounds::LabelBounds;
use crate::lock::{Lock, Once};
use crate::series::{self, Bound, BoundedSeries, Entry, FamilyKey, LabelSetQuery, QueriedLabel};
use crate::storage::{Sink, Slot};

/// The cached slot of one closed label set of a declaration.
#[derive(Debug)]
pub struct SeriesCell(OnceLock<&'static Slot>);

impl SeriesCell {
    #[inline]
    pub(super) fn get(&self) -> Option<&'static Slot> {
        self.0.get().copied()
    }

    /// The slot, found by `find` the first time, if it can be found.
    pub(super) fn get_or_find(&self, find: impl FnOnce() -> Option<&'static Slot>) -> Option<&'static Slot> {
        self.get().or_else(|| find().map(|slot| *self.0.get_or_init(|| slot)))
    }
}

/// Cells for a family with `N` closed label sets.
#[must_use]
pub const fn series_cells<const N: usize>() -> [SeriesCell; N] {
    [const { SeriesCell(OnceLock::new()) }; N]
}

/// Every series, by family.
#[derive(Debug)]
pub(crate) struct CustomSeries(Lock<FamiliesSeries>);

#[derive(Debug)]
struct FamiliesSeries {
    by_name: BTreeMap<&'static str, Arc<FamilySeries>>,
    bounds: LabelBounds,
}

/// One family's series. If all labels are closed, each label set has its own for ever.
#[derive(Debug)]
struct FamilySeries {
    family: &'static CustomFamily,
    series: Lock<BoundedSeries>,
}

static PROCESS: Once<Arc<CustomSeries>> = Once::new();

/// The series of the process-wide instance, the only one to which declared families record.
pub(crate) fn process_series() -> &'static Arc<CustomSeries> {
    PROCESS.get_or_init(Arc::default)
}

impl Default for CustomSeries {
    fn default() -> Self {
        Self(Lock::new(FamiliesSeries { by_name: BTreeMap::new(), bounds: LabelBounds::DEFAULT }))
    }
}

impl CustomSeries {
    /// Sets the limits on profiles and symbols; existing series stay.
    pub(crate) fn set_bounds(&self, bounds: LabelBounds) {
        let mut families = self.0.lock();
        families.bounds = bounds;
        for FamilySeries { family, series } in families.by_name.values().map(|family| &**family) {
            for (index, label) in family.labels.iter().enumerate().filter(|(_, label)| label.is_open()) {
                series.lock().set_bound(index, label.bound(bounds));
            }
        }
    }

    /// Creates every series of a family with closed labels only.
    pub(crate) fn declare(&self, family: &'static CustomFamily) {
        if !family.labels.iter().any(LabelType::is_open) {
            for set in closed_sets(family.labels) {
                self.open(family, &LabelSetQuery::new(FamilyKey::of(family), &set), Duration::ZERO);
            }
        }
    }

    /// The entry of a label set.
    pub(crate) fn open(
        &self,
        family: &'static CustomFamily,
        query: &LabelSetQuery<'_>,
        now: Duration,
    ) -> Arc<Entry> {
        let family = self.of(family);
        family.series.lock().get_or_create(query, now)
    }

    /// Like [`open`](Self::open), for the label set of an entry.
    pub(super) fn open_again(&self, entry: &Entry, now: Duration) -> Option<Arc<Entry>> {
        self.all().iter().find_map(|family| family.series.lock().look_up_again(entry, now))
    }

    pub(super) fn remove(&self, entry: &Entry, now: Duration) {
        for family in self.all() {
            family.series.lock().remove(entry, now);
        }
    }

    /// Removes the gauges of a profile that is being removed.
    pub(crate) fn retract_profile(&self, profile: &str, now: Duration) {
        self.forget_those(|kind| kind == Kind::Gauge, profile, now);
    }

    /// Removes the counts of a profile whose grace period is over.
    pub(crate) fn forget_profile(&self, profile: &str, now: Duration) {
        self.forget_those(|kind| kind != Kind::Gauge, profile, now);
    }

    fn forget_those(&self, are_meant: impl Fn(Kind) -> bool, profile: &str, now: Duration) {
        for FamilySeries { family, series } in self.all().iter().map(|family| &**family) {
            let are_profiles = |label: &LabelType| are_meant(family.family.kind) && *label == ProfileId::TYPE;
            for (index, _) in family.labels.iter().enumerate().filter(|(_, label)| are_profiles(label)) {
                series.lock().forget(index, profile, now);
            }
        }
    }

    /// Called after all others, because these families follow those of the catalogue.
    pub(crate) fn collect(&self, now: Duration, sink: &mut dyn Sink) {
        for family in self.all() {
            sink.open(&family.family.family);
            series::collect(&family.series, now, sink);
            sink.rest();
        }
    }

    pub(crate) fn collect_overflow(&self, namespace: &str, sink: &mut dyn Sink) {
        for family in self.all() {
            family.series.lock().collect_overflow(namespace, sink);
        }
    }

    pub(crate) fn collect_invalid(&self, namespace: &str, sink: &mut dyn Sink) {
        for family in self.all() {
            family.series.lock().collect_invalid(namespace, sink);
        }
    }

    /// Every family, by name.
    fn all(&self) -> Vec<Arc<FamilySeries>> {
        self.0.lock().by_name.values().cloned().collect()
    }

    fn of(&self, family: &'static CustomFamily) -> Arc<FamilySeries> {
        let FamiliesSeries { by_name, bounds } = &mut *self.0.lock();
        let series = by_name.entry(family.family.name);
        Arc::clone(series.or_insert_with(|| Arc::new(FamilySeries::new(family, *bounds))))
    }
}

impl FamilySeries {
    fn new(family: &'static CustomFamily, bounds: LabelBounds) -> Self {
        let bound = |label: &LabelType| {
            if label.is_open() { Bound::Open(label.bound(bounds)) } else { Bound::Closed }
        };
        let labels = family.labels.iter().map(bound).collect();
        // Label sets that are never replaced have their capacity from the beginning, so that the total never exceeds
        // the budget.
        let most = family.budget.saturating_sub(standing_sets(family.labels));
        let series = Lock::new(BoundedSeries::new(&family.family, family.is_float, labels, most));
        Self { family, series }
    }
}

/// Every label set of closed labels.
fn closed_sets(labels: &'static [LabelType]) -> Vec<Vec<QueriedLabel<'static>>> {
    labels.iter().fold(vec![Vec::new()], |sets, label| {
        let with = |set: Vec<QueriedLabel<'static>>| {
            label.values.iter().map(move |value| [&set[..], &[QueriedLabel::Closed(value)]].concat())
        };
        sets.into_iter().flat_map(with).collect()
    })
}
