//! Series whose labels are texts that are known only when they are recorded: a profile, a symbol.
//!
//! A family admits a bounded number of values to each such label, under a lock. Which series a label set has, each
//! thread then remembers, so that it neither locks nor allocates for a set that it has recorded before. Label sets are
//! told apart by comparing them, never by a hash alone.

mod cache;
mod family;
mod hash;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

pub(crate) use cache::{Epoch, epoch};
pub(crate) use family::{Bound, OpenFamily};

use crate::catalogue::Family;
use crate::lock;
use crate::storage::{CounterSlot, Slot};

/// Tells families apart in what threads remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FamilyKey(usize);

impl FamilyKey {
    /// Of a family that lives as long as its instance.
    pub(crate) fn new() -> Self {
        // Odd, since the others are aligned.
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        Self(NEXT.fetch_add(2, Relaxed))
    }

    /// Of a family that lives for ever.
    pub(crate) fn of<T>(family: &'static T) -> Self {
        const { assert!(align_of::<T>() > 1) };
        Self(std::ptr::from_ref(family).addr())
    }
}

/// A label's value, as it is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Label<'a> {
    /// One of a closed set.
    Closed(&'static str),
    /// Any text, as its bytes: those of a text that was copied are valid, and to find that out takes longer than to find
    /// the series.
    Open(&'a [u8]),
}

/// A label set for which a series is asked. The labels stay where they were written: to read a copy of them at once, in
/// larger pieces, takes longer than all the rest.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    key: FamilyKey,
    labels: &'a [Label<'a>],
    hash: u64,
}

impl<'a> Asked<'a> {
    #[inline]
    pub(crate) fn new(key: FamilyKey, labels: &'a [Label<'a>]) -> Self {
        Self { key, labels, hash: hash::of(key, labels) }
    }
}

/// A label's value, for as long as it has a series or a thread remembers it.
#[derive(Clone, Debug)]
pub(crate) enum LabelText {
    Closed(&'static str),
    Open(Arc<str>),
}

impl LabelText {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Closed(text) => text,
            Self::Open(text) => text,
        }
    }
}

impl PartialEq for LabelText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for LabelText {}

impl PartialOrd for LabelText {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LabelText {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

/// Where one thread's recordings of a label set go.
#[derive(Debug)]
pub(crate) struct Entry {
    key: FamilyKey,
    hash: u64,
    /// What the catalogue says of it.
    pub(crate) family: &'static Family,
    /// As they were asked for.
    labels: Vec<LabelText>,
    slot: Arc<Slot>,
    /// Of the labels whose values were replaced.
    overflow: Vec<Arc<CounterSlot>>,
    /// The place that came free for them while somebody kept this.
    own: lock::Once<Arc<Slot>>,
    /// The epoch at which there was none.
    asked_at: AtomicU64,
}

impl Entry {
    /// The slot, for one recording.
    #[inline]
    pub(crate) fn slot(&self) -> &Slot {
        if !self.overflow.is_empty() {
            self.note_overflow();
        }
        &self.slot
    }

    /// The slot of whoever keeps this for longer, for one recording. Where it is that of "other", `ask` says whether there
    /// is a place by now, as often as one may have come free.
    #[inline]
    pub(crate) fn kept_slot(&self, ask: impl FnOnce() -> Option<Arc<Slot>>) -> &Slot {
        if self.overflow.is_empty() { &self.slot } else { self.own_slot(ask) }
    }

    #[cold]
    fn own_slot(&self, ask: impl FnOnce() -> Option<Arc<Slot>>) -> &Slot {
        if let Some(own) = self.own.get() {
            return own;
        }
        let now = epoch();
        // An allocator that records under the family's own lock waits for another time.
        if self.asked_at.load(Relaxed) != now.0 && !lock::is_inside() {
            if let Some(own) = ask() {
                return self.own.get_or_make(|| own);
            }
            self.asked_at.store(now.0, Relaxed);
        }
        self.note_overflow();
        &self.slot
    }

    /// The slot, for whoever keeps that alone.
    pub(crate) fn into_slot(self) -> Arc<Slot> {
        self.slot
    }

    /// Whether it leads to the series of "other", since the label set found no place.
    fn is_others(&self) -> bool {
        !self.overflow.is_empty() && self.own.get().is_none()
    }

    #[cold]
    fn note_overflow(&self) {
        self.overflow.iter().for_each(|overflow| overflow.add(1));
    }

    #[inline]
    fn is(&self, asked: &Asked<'_>) -> bool {
        let same = |(mine, asked): (&LabelText, &Label<'_>)| match (mine, asked) {
            // Mostly it is the same text in the same place.
            (LabelText::Closed(mine), Label::Closed(asked)) => std::ptr::eq(*mine, *asked) || mine == asked,
            (LabelText::Open(mine), Label::Open(asked)) => mine.as_bytes() == *asked,
            _ => false,
        };
        self.key == asked.key
            && self.labels.len() == asked.labels.len()
            && self.labels.iter().zip(asked.labels).all(same)
    }
}

/// Shows `record` the entry of a label set, if this thread remembers it.
#[inline]
pub(crate) fn remembered<R>(asked: &Asked<'_>, record: impl FnOnce(&Arc<Entry>) -> R) -> Option<R> {
    cache::with(asked, record)
}

/// Lets this thread remember an entry that it asked for at this epoch.
pub(crate) fn remember(entry: &Arc<Entry>, found_at: Epoch) {
    cache::insert(entry, found_at);
}
