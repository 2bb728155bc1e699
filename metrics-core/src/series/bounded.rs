//! The series of a family with open labels, within limits that hold while series are removed and return.
//!
//! A removed series has a grace period: it is still exported, and a recording revives it. After the grace period it
//! is hidden and its capacity is released. A handle that was kept looks it up with its next recording: if there is
//! capacity, the series returns with its complete counts; otherwise the recording counts in "other", as for any new
//! label set. A recording that was in progress when the series was hidden still goes to it. The next sweep finds it
//! there, and revives the series or moves the recording to "other".

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::sync::atomic::{Ordering::Acquire, fence};
use std::time::Duration;

use super::cache;
use super::entry::{CountsIn, Entry, Overflow};
use super::label_set::{FamilyKey, LabelSetQuery, LabelText};
use super::limits::{Bound, LabelLimits, grace_end};
use crate::catalogue::{self, Family, Kind};
use crate::lock::Lock;
use crate::storage::{AT_ONCE, Baseline, CounterSlot, Sink, Slot};

/// The number of removed series that is swept without a scrape.
const FEW_REMOVED: usize = 64;

/// The series of a family.
#[derive(Debug)]
pub(crate) struct BoundedSeries {
    family: &'static Family,
    /// Whether a counter counts floats.
    is_float: bool,
    /// The number of refused observations, such as NaN.
    invalid: Arc<CounterSlot>,
    series: BTreeSet<OrderedEntry>,
    /// Removed series that may return: few, so that the others need no memory for it.
    removed: BTreeMap<OrderedEntry, Removal>,
    /// Series with a recording after they were hidden, when there was no capacity. That recording is in "other", as
    /// are later ones; a new series replaces this one when there is capacity.
    retired: Vec<(OrderedEntry, Baseline)>,
    limits: LabelLimits,
    /// The end of the first grace period: until then no capacity is released.
    next_end: Duration,
    /// The number of removed series at which a sweep is made.
    many_removed: usize,
}

/// A series, ordered by its label values.
#[derive(Clone, Debug)]
struct OrderedEntry(Arc<Entry>);

#[derive(Debug)]
struct Removal {
    /// The time at which it is hidden.
    ends: Duration,
    /// The slot's version when it was removed.
    mark: u64,
    /// Its contents when it was hidden; `None` while it is exported.
    hidden: Option<Baseline>,
}

/// The state of a removed series.
enum Fate {
    /// Something was recorded, and it was revived.
    Back,
    Removed(Removal),
    /// Something was recorded for which there was no capacity.
    Retired(Baseline),
}

impl BoundedSeries {
    /// At most `most` series, in addition to those whose open labels are empty or "other", for which there is always
    /// capacity.
    pub(crate) fn new(family: &'static Family, is_float: bool, bounds: Vec<Bound>, most: usize) -> Self {
        Self {
            family,
            is_float,
            invalid: Arc::default(),
            series: BTreeSet::new(),
            removed: BTreeMap::new(),
            retired: Vec::new(),
            limits: LabelLimits::new(bounds, most),
            next_end: Duration::MAX,
            many_removed: FEW_REMOVED,
        }
    }

    /// Sets the limit of a label's values. Existing series stay, and label sets over the former limit are looked up
    /// again.
    pub(crate) fn set_bound(&mut self, label: usize, bound: usize) {
        if let Some(label) = self.limits.labels.get_mut(label) {
            label.bound = Bound::Open(bound);
            cache::forget();
        }
    }

    /// The series of a label set, exported from here on, or that of "other" if there is no capacity.
    pub(crate) fn get_or_create(&mut self, query: &LabelSetQuery<'_>, now: Duration) -> Arc<Entry> {
        let labels = self.limits.texts(query.labels);
        self.entry(query.key, labels, now)
    }

    /// Like [`get_or_create`](Self::get_or_create), for the label set of an entry that was looked up here before;
    /// `None` if it was looked up in another family.
    pub(crate) fn look_up_again(&mut self, entry: &Entry, now: Duration) -> Option<Arc<Entry>> {
        let is_own = self.owns(entry) || self.retired.iter().any(|(member, _)| member.is(entry));
        is_own.then(|| self.entry(entry.key, entry.labels.to_vec(), now))
    }

    fn entry(&mut self, key: FamilyKey, labels: Vec<LabelText>, now: Duration) -> Arc<Entry> {
        let mut within = labels.clone();
        if !self.may_have_own(&labels) && now >= self.next_end {
            self.sweep(now);
        }
        let fits = self.may_have_own(&labels);
        let replaced = if fits { Vec::new() } else { self.limits.replace_with_other(&mut within) };
        let series = self.insert_or_revive(key, within, now);
        if replaced.is_empty() && series.key == key {
            return series;
        }
        let overflow = Box::new(Overflow { family: self.family, series, replaced });
        Arc::new(Entry::new(key, labels, now, CountsIn::Overflow(overflow)))
    }

    /// Whether a label set has its own series within the limits, or can have one.
    fn may_have_own(&self, labels: &[LabelText]) -> bool {
        self.series.get(labels).is_some_and(|member| member.0.is_live()) || self.limits.have_room(labels)
    }

    fn insert_or_revive(&mut self, key: FamilyKey, labels: Vec<LabelText>, now: Duration) -> Arc<Entry> {
        if let Some(OrderedEntry(entry)) = self.series.get(&*labels) {
            let entry = Arc::clone(entry);
            self.removed.remove(&*labels);
            if !entry.is_live() {
                self.limits.take(&labels);
                entry.set_live(true);
            }
            return entry;
        }
        self.limits.take(&labels);
        let slot = Slot::new(self.family, self.is_float, Arc::clone(&self.invalid));
        let entry = Arc::new(Entry::new(key, labels, now, CountsIn::Own(slot)));
        self.series.insert(OrderedEntry(Arc::clone(&entry)));
        entry
    }

    /// Whether an entry was looked up here, and its series, or the current one of its label set, is among these.
    fn owns(&self, entry: &Entry) -> bool {
        entry.overflowed_family() == Some(self.family)
            || self.series.get(&*entry.labels).is_some_and(|member| member.is(entry))
    }

    /// Removes a series, if it is one of these: a gauge at once, counts after their grace period.
    pub(crate) fn remove(&mut self, entry: &Entry, now: Duration) {
        // All label sets over the limits share "other", even if a label has that text itself.
        if self.limits.have_other(&entry.labels) || !self.owns(entry) {
            return;
        }
        let Some(member) = self.series.get(&*entry.labels).cloned() else { return };
        self.begin_removal(member, |_, _| false, now);
        if self.removed.len() >= self.many_removed {
            self.sweep(now);
        }
    }

    /// Removes the series that have this value of a label: at once, except for counts that no reader has received,
    /// whose grace period begins now.
    pub(crate) fn forget(&mut self, label: usize, value: &str, now: Duration) {
        let Some(known) = self.limits.labels.get(label) else { return };
        // The series of "" and "other" are shared by many label sets.
        if !known.counts(value) {
            return;
        }
        let is_meant =
            |member: &&OrderedEntry| member.labels().get(label).is_some_and(|text| text.as_str() == value);
        let meant: Vec<_> = self.series.iter().filter(is_meant).cloned().collect();
        for member in meant {
            self.begin_removal(member, Entry::is_seen, now);
        }
        self.sweep(now);
    }

    /// Begins the removal of a series, which is hidden unless something is recorded first: a gauge at once, and so are
    /// counts of which `is_received` says that their version has been received, others after their grace period.
    fn begin_removal(&mut self, member: OrderedEntry, is_received: fn(&Entry, u64) -> bool, now: Duration) {
        // A recording since an earlier removal revives it first; then it is removed again.
        if let Some(removal) = self.removed.remove(&member) {
            match self.settle(&member, removal, now) {
                Fate::Removed(removal) if removal.hidden.is_some() => {
                    self.removed.insert(member, removal);
                    return;
                }
                Fate::Retired(baseline) => return self.retire(member, baseline),
                Fate::Back | Fate::Removed(_) => {}
            }
        }
        let mark = member.slot().map_or(0, Slot::retract);
        let is_final = self.family.kind == Kind::Gauge || is_received(&member.0, mark);
        let ends = if is_final { now } else { grace_end(now) };
        let removal = Removal { ends, mark, hidden: None };
        self.next_end = self.next_end.min(removal.ends);
        if let Fate::Removed(removal) = self.settle(&member, removal, now) {
            self.removed.insert(member, removal);
        }
    }

    /// Passes some of the series, those after the one with the labels `after`, to the sink; returns where to
    /// continue, if there are more.
    fn collect_some(
        &mut self,
        now: Duration,
        after: Option<&[LabelText]>,
        sink: &mut dyn Sink,
    ) -> Option<Vec<LabelText>> {
        if after.is_none() {
            self.sweep(now);
        }
        if !sink.includes(self.family) {
            return None;
        }
        let mut texts = Vec::with_capacity(self.family.labels.len());
        let is_gauge = self.family.kind == Kind::Gauge;
        let awaits_receipt = !is_gauge && self.limits.are_open();
        let mut rest = self.series.range::<[LabelText], _>((after.map_or(Unbounded, Excluded), Unbounded));
        let mut last = None;
        for member in rest.by_ref().take(AT_ONCE) {
            last = Some(member);
            // A gauge "other" would have the value of an arbitrary label set.
            let is_hidden = !member.0.is_live() || is_gauge && self.limits.have_other(member.labels());
            let Some(slot) = member.slot().filter(|_| !is_hidden) else { continue };
            texts.clear();
            // They live as long as the series do.
            texts.extend(member.labels().iter().map(LabelText::as_str));
            if !is_gauge {
                sink.since(member.0.created);
            }
            let mark = slot.collect(self.family, &texts, sink);
            if awaits_receipt
                && !member.0.is_seen(mark)
                && let Some(receipt) = sink.receipt()
            {
                receipt.add(Arc::<Entry>::clone(&member.0), mark);
            }
        }
        rest.next().and(last).map(|member| member.labels().to_vec())
    }

    /// Exports how often each label's values were replaced by "other".
    pub(crate) fn collect_overflow(&self, namespace: &str, sink: &mut dyn Sink) {
        let metric = self.family.full_name(namespace);
        for (name, label) in self.family.labels.iter().zip(&self.limits.labels) {
            if let Bound::Open(_) = label.bound {
                let labels = &[&*metric, *name];
                sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, labels, label.overflow.value());
            }
        }
    }

    /// Exports how many observations were refused, if the family can refuse any.
    pub(crate) fn collect_invalid(&self, namespace: &str, sink: &mut dyn Sink) {
        if self.family.kind != Kind::Counter || self.is_float {
            let labels = &[&*self.family.full_name(namespace)];
            sink.counter(&catalogue::INVALID_OBSERVATIONS_TOTAL, labels, self.invalid.value());
        }
    }

    /// Revives series with a recording since their removal, hides those whose grace period is over, and drops those
    /// to which no handle and no thread can record.
    fn sweep(&mut self, now: Duration) {
        for (member, baseline) in std::mem::take(&mut self.retired) {
            let is_held = member.is_held_beside(1);
            let baseline = self.move_to_other(&member, &baseline, now).unwrap_or(baseline);
            if is_held {
                self.retired.push((member, baseline));
            }
        }
        if self.removed.is_empty() {
            return;
        }
        self.next_end = Duration::MAX;
        for (member, removal) in std::mem::take(&mut self.removed) {
            // References of the two maps here.
            let is_held = member.is_held_beside(2);
            match self.settle(&member, removal, now) {
                Fate::Back => {}
                Fate::Removed(Removal { hidden: Some(_), .. }) if !is_held => {
                    self.series.remove(&member);
                }
                Fate::Removed(removal) => {
                    if removal.hidden.is_none() {
                        self.next_end = self.next_end.min(removal.ends);
                    }
                    self.removed.insert(member, removal);
                }
                Fate::Retired(baseline) => self.retire(member, baseline),
            }
        }
        self.many_removed = (self.removed.len() * 2).max(FEW_REMOVED);
    }

    /// Determines the state of a removed series, and hides it if its grace period is over.
    fn settle(&mut self, member: &OrderedEntry, removal: Removal, now: Duration) -> Fate {
        let Some(slot) = member.slot() else { return Fate::Back };
        // A move to "other" may have revived it during a sweep.
        if removal.hidden.is_some() && member.0.is_live() {
            return Fate::Back;
        }
        let Some(baseline) = &removal.hidden else {
            if slot.mark() != removal.mark {
                return Fate::Back;
            }
            if now < removal.ends {
                return Fate::Removed(removal);
            }
            let baseline = slot.baseline();
            if baseline.mark != removal.mark {
                return Fate::Back;
            }
            member.0.set_live(false);
            self.limits.release(member.labels());
            cache::forget();
            return Fate::Removed(Removal { hidden: Some(baseline), ..removal });
        };
        if slot.mark() == baseline.mark {
            return Fate::Removed(removal);
        }
        if self.limits.have_room(member.labels()) {
            self.limits.take(member.labels());
            member.0.set_live(true);
            cache::forget();
            return Fate::Back;
        }
        self.move_to_other(member, baseline, now).map_or(Fate::Removed(removal), Fate::Retired)
    }

    fn retire(&mut self, member: OrderedEntry, baseline: Baseline) {
        self.series.remove(&member);
        self.retired.push((member, baseline));
    }

    /// Moves the recordings of a hidden series since a baseline to "other", if there are any. The value of a gauge is
    /// dropped, because gauges have no "other".
    fn move_to_other(
        &mut self,
        member: &OrderedEntry,
        baseline: &Baseline,
        now: Duration,
    ) -> Option<Baseline> {
        let slot = member.slot().filter(|slot| slot.mark() != baseline.mark)?;
        let mut within = member.labels().to_vec();
        let replaced = self.limits.replace_with_other(&mut within);
        for overflow in &replaced {
            overflow.add(1);
        }
        if self.family.kind == Kind::Gauge {
            slot.retract();
            return None;
        }
        let moved = slot.baseline();
        let other = self.insert_or_revive(member.0.key, within, now);
        other.record(|other| other.add_difference(baseline, &moved));
        Some(moved)
    }
}

/// Passes all series to the sink, which rests between some of them and the next.
pub(crate) fn collect(series: &Lock<BoundedSeries>, now: Duration, sink: &mut dyn Sink) {
    let mut after = series.lock().collect_some(now, None, sink);
    while let Some(labels) = after {
        sink.rest();
        after = series.lock().collect_some(now, Some(&labels), sink);
    }
}

impl OrderedEntry {
    fn labels(&self) -> &[LabelText] {
        &self.0.labels
    }

    fn slot(&self) -> Option<&Slot> {
        self.0.slot()
    }

    /// Whether it is the series of an entry.
    fn is(&self, entry: &Entry) -> bool {
        let series = entry.shared_series().map_or(entry, |series| series);
        std::ptr::eq(Arc::as_ptr(&self.0), series)
    }

    /// Whether there are references beyond `these`, through which a thread can record to it.
    fn is_held_beside(&self, these: usize) -> bool {
        let is_held = Arc::strong_count(&self.0) > these;
        // Once no handle is left, all recordings of the last one are visible from here on.
        fence(Acquire);
        is_held
    }
}

impl Borrow<[LabelText]> for OrderedEntry {
    fn borrow(&self) -> &[LabelText] {
        self.labels()
    }
}

impl PartialEq for OrderedEntry {
    fn eq(&self, other: &Self) -> bool {
        self.labels() == other.labels()
    }
}

impl Eq for OrderedEntry {}

impl PartialOrd for OrderedEntry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OrderedEntry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.labels().cmp(other.labels())
    }
}

#[cfg(test)]
mod tests;
