//! The series of a bot's own families.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::family::CustomFamily;
use super::label::{Label as _, LabelType, ProfileId, standing_sets};
use crate::catalogue::{self, Kind};
use crate::labels::bounds::LabelBounds;
use crate::lock::{Lock, LockGuard, Once};
use crate::series::{Bound as LabelBound, BoundedSeries, Entry, LabelSetQuery, LabelText, QueriedLabel};
use crate::storage::{self, CounterSlot, Sink, Slot, visit_some};

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
    by_name: BTreeMap<&'static str, FamilySeries>,
    bounds: LabelBounds,
}

/// One family's series.
#[derive(Debug)]
struct FamilySeries {
    family: &'static CustomFamily,
    series: Labelled,
    /// The number of values that could not be recorded; unused for counters of whole numbers.
    invalid: Arc<CounterSlot>,
}

#[derive(Debug)]
enum Labelled {
    /// All labels are closed: there is a series for each combination of their values, which exists for ever.
    Closed(BTreeMap<Vec<&'static str>, &'static Slot>),
    Open(BoundedSeries),
}

/// The series after which a scrape continues.
enum After {
    Nothing,
    Closed(Vec<&'static str>),
    Open(Vec<LabelText>),
}

impl From<Option<Vec<LabelText>>> for After {
    fn from(labels: Option<Vec<LabelText>>) -> Self {
        labels.map_or(Self::Nothing, Self::Open)
    }
}

static PROCESS: Once<Arc<CustomSeries>> = Once::new();

/// The series of the process-wide instance, the only one to which declared families record.
pub(crate) fn process_series() -> &'static Arc<CustomSeries> {
    PROCESS.get_or_init(|| Arc::new(CustomSeries::new()))
}

impl CustomSeries {
    pub(crate) fn new() -> Self {
        Self(Lock::new(FamiliesSeries { by_name: BTreeMap::new(), bounds: LabelBounds::DEFAULT }))
    }

    /// Sets the limits on profiles and symbols; existing series stay.
    pub(crate) fn set_bounds(&self, bounds: LabelBounds) {
        let mut families = self.families();
        families.bounds = bounds;
        for FamilySeries { family, series, .. } in families.by_name.values_mut() {
            let Labelled::Open(open) = series else { continue };
            for (index, label) in family.labels.iter().enumerate().filter(|(_, label)| label.is_open()) {
                open.set_bound(index, label.bound(bounds));
            }
        }
    }

    /// Creates every series of a family with closed labels only.
    pub(crate) fn declare(&self, family: &'static CustomFamily) {
        let mut families = self.families();
        let series = families.of(family);
        if let Labelled::Closed(_) = series.series {
            for set in closed_sets(family.labels) {
                let _ = series.closed(set);
            }
        }
    }

    /// The slot of a closed label set, if the family has it.
    pub(super) fn closed(
        &self,
        family: &'static CustomFamily,
        values: &[QueriedLabel<'_>],
    ) -> Option<&'static Slot> {
        let labels = texts(values)?;
        let mut families = self.families();
        families.of(family).closed(labels)
    }

    /// The entry of an open label set, if the family has it.
    pub(crate) fn open(
        &self,
        family: &'static CustomFamily,
        asked: &LabelSetQuery<'_>,
        now: Duration,
    ) -> Option<Arc<Entry>> {
        let mut families = self.families();
        let series = families.of(family);
        let (standing, invalid) = (series.family, &series.invalid);
        match &mut series.series {
            Labelled::Open(open) => Some(open.get_or_create(asked, now, || slot(standing, invalid))),
            Labelled::Closed(_) => None,
        }
    }

    /// Like [`open`](Self::open), for the label set of an entry.
    pub(super) fn open_again(&self, entry: &Entry, now: Duration) -> Option<Arc<Entry>> {
        self.families().by_name.values_mut().find_map(|FamilySeries { family, series, invalid }| match series
        {
            Labelled::Open(open) => open.look_up_again(entry, now, || slot(family, invalid)),
            Labelled::Closed(_) => None,
        })
    }

    pub(super) fn remove(&self, entry: &Entry, now: Duration) {
        for FamilySeries { series, .. } in self.families().by_name.values_mut() {
            if let Labelled::Open(open) = series {
                open.remove(entry, now);
            }
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
        for FamilySeries { family, series, .. } in self.families().by_name.values_mut() {
            let Labelled::Open(open) = series else { continue };
            if !are_meant(family.family.kind) {
                continue;
            }
            for (index, _) in family.labels.iter().enumerate().filter(|(_, label)| **label == ProfileId::TYPE)
            {
                open.forget(index, profile, now);
            }
        }
    }

    /// Called after all others, because these families follow those of the catalogue.
    pub(crate) fn collect(&self, now: Duration, sink: &mut dyn Sink) {
        let (mut from, mut after) = (Bound::Unbounded, After::Nothing);
        loop {
            let mut families = self.families();
            let from_here = (from, Bound::Unbounded);
            let Some((name, series)) = families.by_name.range_mut::<str, _>(from_here).next() else {
                return;
            };
            after = series.collect_some(now, after, sink);
            // Other threads get their turn between some series and the next.
            from = match after {
                After::Nothing => Bound::Excluded(*name),
                _ => Bound::Included(*name),
            };
            drop(families);
            sink.rest();
        }
    }

    pub(crate) fn collect_overflow(&self, namespace: &str, sink: &mut dyn Sink) {
        for FamilySeries { series, .. } in self.families().by_name.values() {
            if let Labelled::Open(open) = series {
                open.collect_overflow(namespace, sink);
            }
        }
    }

    pub(crate) fn collect_invalid(&self, namespace: &str, sink: &mut dyn Sink) {
        for FamilySeries { family, invalid, .. } in self.families().by_name.values() {
            if family.family.kind != Kind::Counter || family.is_float {
                let labels = &[&*family.family.full_name(namespace)];
                sink.counter(&catalogue::INVALID_OBSERVATIONS_TOTAL, labels, invalid.value());
            }
        }
    }

    fn families(&self) -> LockGuard<'_, FamiliesSeries> {
        self.0.lock()
    }
}

impl FamiliesSeries {
    fn of(&mut self, family: &'static CustomFamily) -> &mut FamilySeries {
        let bounds = self.bounds;
        self.by_name.entry(family.family.name).or_insert_with(|| FamilySeries::new(family, bounds))
    }
}

impl FamilySeries {
    fn new(family: &'static CustomFamily, bounds: LabelBounds) -> Self {
        let series = if family.labels.iter().any(LabelType::is_open) {
            let bound = |label: &LabelType| {
                if label.is_open() { LabelBound::Open(label.bound(bounds)) } else { LabelBound::Closed }
            };
            // Label sets that are never replaced have their capacity from the beginning, so that the total never
            // exceeds the budget.
            let places = family.budget.saturating_sub(standing_sets(family.labels));
            Labelled::Open(BoundedSeries::new(
                &family.family,
                family.labels.iter().map(bound).collect(),
                places,
            ))
        } else {
            Labelled::Closed(BTreeMap::new())
        };
        Self { family, series, invalid: Arc::default() }
    }

    /// Passes some of the series to the sink; returns where to continue, which is nowhere after the last one.
    fn collect_some(&mut self, now: Duration, after: After, sink: &mut dyn Sink) -> After {
        let family = &self.family.family;
        match (&mut self.series, after) {
            (Labelled::Open(open), After::Open(after)) => open.collect_some(now, Some(&after), sink).into(),
            (Labelled::Open(open), _) => {
                sink.open(family);
                open.collect_some(now, None, sink).into()
            }
            (Labelled::Closed(series), after) => {
                let after = if let After::Closed(after) = after {
                    Some(after)
                } else {
                    sink.open(family);
                    None
                };
                let more =
                    visit_some(series.range::<[_], _>(storage::after(after.as_deref())), |(labels, slot)| {
                        let _ = slot.collect(family, labels, sink);
                    });
                more.map_or(After::Nothing, |(labels, _)| After::Closed(labels.clone()))
            }
        }
    }

    fn closed(&mut self, labels: Vec<&'static str>) -> Option<&'static Slot> {
        let (family, invalid) = (self.family, &self.invalid);
        match &mut self.series {
            Labelled::Closed(series) => {
                Some(*series.entry(labels).or_insert_with(|| Box::leak(Box::new(slot(family, invalid)))))
            }
            Labelled::Open(_) => None,
        }
    }
}

/// The texts of closed labels.
fn texts(values: &[QueriedLabel<'_>]) -> Option<Vec<&'static str>> {
    let text = |value: &QueriedLabel<'_>| match value {
        QueriedLabel::Closed(text) => Some(*text),
        QueriedLabel::Open(_) => None,
    };
    values.iter().map(text).collect()
}

/// Every label set of closed labels.
fn closed_sets(labels: &'static [LabelType]) -> Vec<Vec<&'static str>> {
    labels.iter().fold(vec![Vec::new()], |sets, label| {
        let with =
            |set: Vec<&'static str>| label.values.iter().map(move |value| [&set[..], &[*value]].concat());
        sets.into_iter().flat_map(with).collect()
    })
}

fn slot(family: &'static CustomFamily, invalid: &Arc<CounterSlot>) -> Slot {
    match family.family.kind {
        Kind::Counter if family.is_float => Slot::float_counter(Arc::clone(invalid)),
        Kind::Counter => Slot::counter(),
        Kind::Gauge => Slot::gauge(Arc::clone(invalid)),
        Kind::Histogram => Slot::histogram(family.family.buckets, Arc::clone(invalid)),
    }
}
