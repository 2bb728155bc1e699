//! The destination of the recordings of one label set.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::hash;
use super::label_set::{FamilyKey, LabelSetQuery, LabelText, QueriedLabel};
use crate::catalogue::Family;
use crate::clock::Created;
use crate::storage::{CounterSlot, Seen, Slot};

/// The result of looking up a label set: its series, or the one in which it counts. All threads share it, because a
/// copy for each of them would take more memory than the counts.
#[derive(Debug)]
pub struct Entry {
    pub(super) key: FamilyKey,
    /// As requested.
    pub(super) labels: Box<[LabelText]>,
    /// Whether its series is within the limits. It is not after it was removed and its grace period is over: its
    /// capacity may then be used by another, and a recording has to look it up to revive it. A recording that reads this
    /// too early goes to the series all the same, where the next sweep finds it.
    is_live: AtomicBool,
    /// When its label set got a series.
    pub(super) created: Created,
    /// The slot's version in the latest exposition that a reader has received.
    seen: AtomicU64,
    target: CountsIn,
}

/// Where a label set counts.
#[derive(Debug)]
pub(super) enum CountsIn {
    /// In its own series.
    Own(Slot),
    /// In another one.
    Overflow(Box<Overflow>),
}

/// The series in which a label set over the limits counts.
#[derive(Debug)]
pub(super) struct Overflow {
    pub(super) family: &'static Family,
    pub(super) series: Arc<Entry>,
    /// The counters of the labels whose values were replaced; empty if two declarations of one family share a series.
    pub(super) replaced: Vec<Arc<CounterSlot>>,
}

impl Entry {
    pub(super) fn new(key: FamilyKey, labels: Vec<LabelText>, now: Duration, target: CountsIn) -> Self {
        let is_live = AtomicBool::new(matches!(target, CountsIn::Own(_)));
        Self {
            key,
            labels: labels.into(),
            created: Created::at(now),
            is_live,
            seen: AtomicU64::new(0),
            target,
        }
    }

    /// Records to the series that the label set had when it was looked up.
    #[inline]
    pub(crate) fn record(&self, record: impl FnOnce(&Slot)) {
        match &self.target {
            CountsIn::Own(slot) => record(slot),
            CountsIn::Overflow(overflow) => overflow.record(record),
        }
    }

    /// The slot of its own series, unless a recording must look it up again.
    #[inline]
    pub(super) fn live_slot(&self) -> Option<&Slot> {
        self.slot().filter(|_| self.is_live())
    }

    /// The slot of its own series.
    #[inline]
    pub(super) fn slot(&self) -> Option<&Slot> {
        match &self.target {
            CountsIn::Own(slot) => Some(slot),
            CountsIn::Overflow(_) => None,
        }
    }

    /// The slot of its series, which stays for ever from here on.
    pub(crate) fn leaked_slot(self: &Arc<Self>) -> Option<&'static Slot> {
        let series = Arc::clone(self.shared_series().unwrap_or(self));
        // SAFETY: the reference that `into_raw` takes over is never released.
        let series: &'static Self = unsafe { &*Arc::into_raw(series) };
        series.slot()
    }

    #[inline]
    pub(super) fn is_live(&self) -> bool {
        self.is_live.load(Relaxed)
    }

    pub(super) fn set_live(&self, is_live: bool) {
        self.is_live.store(is_live, Relaxed);
    }

    /// Whether a reader has received the slot's contents at this version.
    pub(super) fn is_seen(&self, mark: u64) -> bool {
        self.seen.load(Relaxed) == mark
    }

    /// The series that it shares with another declaration of its family.
    pub(super) fn shared_series(&self) -> Option<&Arc<Self>> {
        match &self.target {
            CountsIn::Overflow(overflow) if overflow.replaced.is_empty() => Some(&overflow.series),
            _ => None,
        }
    }

    /// Whether its label set counts under "other".
    pub(super) fn is_others(&self) -> bool {
        matches!(&self.target, CountsIn::Overflow(overflow) if !overflow.replaced.is_empty())
    }

    /// The family in which it has no series of its own.
    pub(super) fn overflowed_family(&self) -> Option<&'static Family> {
        match &self.target {
            CountsIn::Own(_) => None,
            CountsIn::Overflow(overflow) => Some(overflow.family),
        }
    }

    #[inline]
    pub(super) fn is(&self, query: &LabelSetQuery<'_>) -> bool {
        let same = |(mine, asked): (&LabelText, &QueriedLabel<'_>)| match (mine, asked) {
            // Usually it is the same text at the same address.
            (LabelText::Closed(mine), QueriedLabel::Closed(asked)) => {
                std::ptr::eq(*mine, *asked) || mine == asked
            }
            (LabelText::Open(mine), QueriedLabel::Open(asked)) => mine.as_bytes() == *asked,
            _ => false,
        };
        self.key == query.key
            && self.labels.len() == query.labels.len()
            && self.labels.iter().zip(query.labels).all(same)
    }

    /// Whether both were looked up for the same label set.
    pub(super) fn is_of_same_set(&self, other: &Self) -> bool {
        self.key == other.key && self.labels == other.labels
    }

    /// The hash of the query that finds it.
    pub(super) fn hash(&self) -> u64 {
        let label = |text| match text {
            &LabelText::Closed(text) => QueriedLabel::Closed(text),
            LabelText::Open(text) => QueriedLabel::Open(text.as_bytes()),
        };
        hash::of(self.key, self.labels.iter().map(label))
    }
}

impl Seen for Entry {
    fn note_seen(&self, mark: u64) {
        // Of two expositions the later one may be received first.
        self.seen.fetch_max(mark, Relaxed);
    }
}

impl Overflow {
    #[cold]
    #[inline(never)]
    fn record(&self, record: impl FnOnce(&Slot)) {
        self.replaced.iter().for_each(|overflow| overflow.add(1));
        if let Some(slot) = self.series.slot() {
            record(slot);
        }
    }
}
