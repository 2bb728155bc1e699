//! The series of one family that has open labels.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Asked, Entry, Label, LabelText, cache};
use crate::catalogue::{self, Family, Kind};
use crate::label::OTHER;
use crate::storage::{CounterSlot, Sink, Slot, visit_some};

/// How long a removed counter or histogram stays: long enough for a scraper to see its last value.
const GRACE: Duration = Duration::from_mins(5);

/// What is known of a label's values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// All of them: none takes a place.
    Closed,
    /// How many there may be.
    Open(usize),
}

/// The series of a family, by their label values.
#[derive(Debug)]
pub(crate) struct OpenFamily {
    family: &'static Family,
    series: BTreeMap<Box<[LabelText]>, Standing>,
    places: Places,
    /// Series that were removed and may come back.
    removed: usize,
}

#[derive(Debug)]
struct Standing {
    slot: Arc<Slot>,
    /// Boxed, since few series have one and each has the room for it.
    removal: Option<Box<Removal>>,
}

/// A series that was removed comes back with the next recording. That is seen by its value, so that a recording need not
/// ask, and none is lost: the slot stays for as long as anybody can record to it.
#[derive(Clone, Copy, Debug)]
struct Removal {
    /// None where there is no grace.
    at: Option<Duration>,
    /// The slot's, when it was removed.
    mark: u64,
    /// Whether the grace is over: it is not shown, and has no place.
    over: bool,
}

/// Who has a place.
#[derive(Debug)]
struct Places {
    labels: Vec<OpenLabel>,
    /// Series with a value of an open label that is not "other".
    taken: usize,
    most: usize,
}

#[derive(Debug)]
struct OpenLabel {
    bound: Bound,
    /// How many series each value of an open label has.
    taken: BTreeMap<Arc<str>, usize>,
    overflow: Arc<CounterSlot>,
}

impl OpenFamily {
    /// At most `most` series beside those whose open labels are empty or "other": these are never crowded out.
    pub(crate) fn new(family: &'static Family, bounds: Vec<Bound>, most: usize) -> Self {
        let label = |bound| OpenLabel { bound, taken: BTreeMap::new(), overflow: Arc::default() };
        let places = Places { labels: bounds.into_iter().map(label).collect(), taken: 0, most };
        Self { family, series: BTreeMap::new(), places, removed: 0 }
    }

    /// Bounds the values of a label from here on; those that have a place keep it.
    pub(crate) fn set_bound(&mut self, label: usize, bound: usize) {
        if let Some(label) = self.places.labels.get_mut(label) {
            label.bound = Bound::Open(bound);
        }
    }

    /// Where recordings of a label set go: its series, exported from here on, or that of "other" where there is no place.
    pub(crate) fn admit(&mut self, asked: &Asked<'_>, now: Duration, make: impl FnOnce() -> Slot) -> Entry {
        let labels = self.places.texts(asked.labels);
        if !self.series.contains_key(&*labels) && !self.places.have_room(&labels) {
            self.sweep(now);
        }
        let mut standing = labels.clone();
        let known = self.series.contains_key(&*labels);
        let overflow = if known { Vec::new() } else { self.places.crowd_out(&mut standing) };
        let slot = self.stand(standing, make);
        Entry { key: asked.key, hash: asked.hash, family: self.family, labels, slot, overflow }
    }

    fn stand(&mut self, labels: Vec<LabelText>, make: impl FnOnce() -> Slot) -> Arc<Slot> {
        if let Some(standing) = self.series.get_mut(&*labels) {
            if let Some(removal) = standing.removal.take() {
                self.removed -= 1;
                if removal.over {
                    self.places.take(&labels);
                }
            }
            return Arc::clone(&standing.slot);
        }
        self.places.take(&labels);
        let slot = Arc::new(make());
        self.series.insert(labels.into(), Standing { slot: Arc::clone(&slot), removal: None });
        slot
    }

    /// Takes a series away: a gauge at once, counts once a scraper has seen them.
    pub(crate) fn remove(&mut self, entry: &Entry, now: Duration) {
        // "other" is not one's own.
        if entry.overflow.is_empty()
            && let Some(standing) = self.series.get_mut(&*entry.labels)
        {
            self.removed += usize::from(standing.removal.is_none());
            standing.remove(Some(now));
            self.sweep(now);
        }
    }

    /// Takes away at once the series that have this value of a label.
    pub(crate) fn forget(&mut self, label: usize, value: &str) {
        let has = |labels: &[LabelText]| labels.get(label).is_some_and(|text| text.as_str() == value);
        for (_, standing) in self.series.iter_mut().filter(|(labels, _)| has(labels)) {
            self.removed += usize::from(standing.removal.is_none());
            standing.remove(None);
        }
        self.sweep(Duration::ZERO);
    }

    /// Some of the series, those after the one with the labels `after`; says where to go on, if there are more.
    pub(crate) fn collect_some(
        &mut self,
        now: Duration,
        after: Option<&[LabelText]>,
        sink: &mut dyn Sink,
    ) -> Option<Vec<LabelText>> {
        if after.is_none() {
            self.sweep(now);
        }
        let mut texts = Vec::with_capacity(self.family.labels.len());
        visit_some(&self.series, after, |labels, standing| {
            if !standing.is_over() {
                texts.clear();
                // They live as long as the series do.
                texts.extend(labels.iter().map(LabelText::as_str));
                standing.slot.collect(self.family, &texts, sink);
            }
        })
    }

    /// How often values found no place.
    pub(crate) fn collect_overflow(&self, sink: &mut dyn Sink) {
        for (name, label) in self.family.labels.iter().zip(&self.places.labels) {
            if let Bound::Open(_) = label.bound {
                let labels = &[self.family.name, *name];
                sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, labels, label.overflow.value());
            }
        }
    }

    /// Brings back what was recorded to since it was removed, hides what had its grace, and lets go of what nobody can
    /// record to.
    fn sweep(&mut self, now: Duration) {
        if self.removed == 0 {
            return;
        }
        let grace = if self.family.kind == Kind::Gauge { Duration::ZERO } else { GRACE };
        let (places, removed) = (&mut self.places, &mut self.removed);
        self.series.retain(|labels, standing| {
            let Some(removal) = &mut standing.removal else { return true };
            // Alone it is here: what was recorded by whoever held it last is seen.
            let held = Arc::get_mut(&mut standing.slot).is_none();
            if standing.slot.mark() != removal.mark {
                if removal.over {
                    places.take(labels);
                }
                standing.removal = None;
                *removed -= 1;
                return true;
            }
            if !removal.over && removal.at.is_none_or(|at| now.saturating_sub(at) >= grace) {
                removal.over = true;
                places.release(labels);
                cache::forget();
            }
            let gone = removal.over && !held;
            *removed -= usize::from(gone);
            !gone
        });
    }
}

impl Standing {
    fn remove(&mut self, at: Option<Duration>) {
        self.slot.retract();
        let over = self.is_over();
        self.removal = Some(Box::new(Removal { at, mark: self.slot.mark(), over }));
    }

    fn is_over(&self) -> bool {
        self.removal.as_ref().is_some_and(|removal| removal.over)
    }
}

impl Places {
    /// The labels as they were asked for, in texts that are shared where they are known.
    fn texts(&self, asked: &[Label<'_>]) -> Vec<LabelText> {
        let text = |(label, asked): (&OpenLabel, &Label<'_>)| match *asked {
            Label::Closed(text) => LabelText::Closed(text),
            Label::Open(text) => {
                let text = String::from_utf8_lossy(text);
                let known = label.taken.get_key_value(&*text).map(|(text, _)| Arc::clone(text));
                LabelText::Open(known.unwrap_or_else(|| Arc::from(text)))
            }
        };
        self.labels.iter().zip(asked).map(text).collect()
    }

    /// Whether a series that does not stand could have its own labels.
    fn have_room(&self, labels: &[LabelText]) -> bool {
        let full = self.taken >= self.most && self.are_open(labels);
        !full && self.labels.iter().zip(labels).all(|(label, text)| label.has_room(text))
    }

    /// Replaces what has no room, and says which labels that were.
    fn crowd_out(&self, labels: &mut [LabelText]) -> Vec<Arc<CounterSlot>> {
        let mut overflow = Vec::new();
        let mut replace = |label: &OpenLabel, text: &mut LabelText| {
            *text = LabelText::Open(Arc::from(OTHER));
            overflow.push(Arc::clone(&label.overflow));
        };
        for (label, text) in self.labels.iter().zip(&mut *labels) {
            if !label.has_room(text) {
                replace(label, text);
            }
        }
        if self.taken >= self.most {
            for (label, text) in self.labels.iter().zip(&mut *labels) {
                if label.is_taken_by(text) {
                    replace(label, text);
                }
            }
        }
        overflow
    }

    fn are_open(&self, labels: &[LabelText]) -> bool {
        self.labels.iter().zip(labels).any(|(label, text)| label.is_taken_by(text))
    }

    fn take(&mut self, labels: &[LabelText]) {
        self.taken += usize::from(self.are_open(labels));
        for (label, text) in self.labels.iter_mut().zip(labels) {
            if let (LabelText::Open(text), true) = (text, label.is_taken_by(text)) {
                *label.taken.entry(Arc::clone(text)).or_insert(0) += 1;
            }
        }
    }

    fn release(&mut self, labels: &[LabelText]) {
        self.taken -= usize::from(self.are_open(labels));
        for (label, text) in self.labels.iter_mut().zip(labels) {
            if let Some(series) = label.taken.get_mut(text.as_str()) {
                *series -= 1;
                if *series == 0 {
                    label.taken.remove(text.as_str());
                }
            }
        }
    }
}

impl OpenLabel {
    /// Whether a value takes a place: none and "other" do not.
    fn is_taken_by(&self, text: &LabelText) -> bool {
        matches!(self.bound, Bound::Open(_)) && !matches!(text.as_str(), "" | OTHER)
    }

    fn has_room(&self, text: &LabelText) -> bool {
        match self.bound {
            Bound::Open(bound) if self.is_taken_by(text) => {
                self.taken.len() < bound || self.taken.contains_key(text.as_str())
            }
            Bound::Open(_) | Bound::Closed => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Families, OPERATIONAL_EVENTS_TOTAL};
    use crate::open::FamilyKey;
    use crate::storage::{SnapshotBuilder, Value};

    const LABELS: [Label<'static>; 4] =
        [Label::Closed("INFO"), Label::Closed("STARTED"), Label::Open(b"maker"), Label::Open(b"")];

    fn shown(family: &mut OpenFamily, minutes: u64) -> Option<Value> {
        let mut snapshot = SnapshotBuilder::new(Families::All);
        let _ = family.collect_some(Duration::from_mins(minutes), None, &mut snapshot);
        snapshot.finish().families.first().map(|family| family.samples[0].value.clone())
    }

    /// F16, beyond the grace.
    #[test]
    fn a_series_removed_long_ago_comes_back_with_all_that_was_ever_counted() {
        let bounds = vec![Bound::Closed, Bound::Closed, Bound::Open(1), Bound::Open(1)];
        let mut family = OpenFamily::new(&OPERATIONAL_EVENTS_TOTAL, bounds, 10);
        let key = FamilyKey::new();
        let kept = family.admit(&Asked::new(key, &LABELS), Duration::ZERO, Slot::counter);
        kept.slot().add(3);
        family.remove(&kept, Duration::ZERO);
        assert_eq!(shown(&mut family, 4), Some(Value::Counter(3)), "its grace");
        assert_eq!(shown(&mut family, 5), None);
        assert_eq!(family.places.taken, 0, "its place is free");
        kept.slot().add(1);
        assert_eq!(shown(&mut family, 6), Some(Value::Counter(4)));
        family.remove(&kept, Duration::from_mins(6));
        assert_eq!(shown(&mut family, 12), None);
        // Counted by whoever lets go of it before the next scrape.
        kept.slot().add(1);
        drop(kept);
        assert_eq!(shown(&mut family, 13), Some(Value::Counter(5)));
        let entry = family.admit(&Asked::new(key, &LABELS), Duration::from_mins(13), Slot::counter);
        family.remove(&entry, Duration::from_mins(13));
        drop(entry);
        assert_eq!(shown(&mut family, 30), None);
        assert!(family.series.is_empty(), "nobody can record to it any more");
    }
}
