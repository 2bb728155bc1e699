//! Series whose labels are texts that are known only when they are recorded: a profile, a symbol.
//!
//! A family admits a bounded number of values to each such label, under a lock. Which series a label set has, each
//! thread then remembers, so that it neither locks nor allocates for a set that it has recorded before. Label sets are
//! told apart by comparing them, never by a hash alone.

mod cache;
mod family;
mod hand;
mod hash;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

pub(crate) use cache::{Epoch, epoch};
pub(crate) use family::{Bound, OpenFamily};
pub(crate) use hand::Held;

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
        Self { key, labels, hash: hash::of(key, labels.iter().copied()) }
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

/// Where recordings of a label set go. There is one for each series, which all threads remember: what each of them kept
/// for itself was more than what it counts.
#[derive(Debug)]
pub struct Entry {
    key: FamilyKey,
    /// As they were asked for.
    labels: Box<[LabelText]>,
    slot: Slot,
    /// The slot's mark when it was collected last: what a scraper can have seen.
    shown: AtomicU64,
    elsewhere: Option<Box<Elsewhere>>,
}

/// The label set has no series of its own, or had none.
#[derive(Debug)]
struct Elsewhere {
    family: &'static Family,
    series: Arc<Entry>,
    /// Of the labels whose values were replaced; none where two declarations of one family have a series together.
    overflow: Vec<Arc<CounterSlot>>,
    /// The place that came free for them while somebody kept this.
    own: lock::Once<Arc<Entry>>,
    /// The epoch at which there was none.
    asked_at: AtomicU64,
}

impl Entry {
    fn new(key: FamilyKey, labels: Vec<LabelText>, slot: Slot) -> Self {
        Self { key, labels: labels.into(), slot, shown: AtomicU64::new(0), elsewhere: None }
    }

    fn to(elsewhere: Elsewhere, key: FamilyKey, labels: Vec<LabelText>) -> Self {
        Self { elsewhere: Some(Box::new(elsewhere)), ..Self::new(key, labels, Slot::none()) }
    }

    /// The family in which no place was found.
    pub(crate) fn crowded_family(&self) -> Option<&'static Family> {
        self.elsewhere.as_ref().map(|elsewhere| elsewhere.family)
    }

    /// The slot, for one recording.
    #[inline]
    pub(crate) fn slot(&self) -> &Slot {
        match &self.elsewhere {
            None => &self.slot,
            Some(elsewhere) => elsewhere.slot(),
        }
    }

    /// The slot of whoever keeps this for longer, for one recording. Where it is that of "other", `ask` says whether there
    /// is a place by now, as often as one may have come free.
    #[inline]
    pub(crate) fn kept_slot(&self, ask: impl FnOnce(&Self) -> Option<Arc<Self>>) -> &Slot {
        match &self.elsewhere {
            None => &self.slot,
            Some(elsewhere) => elsewhere.kept_slot(|| ask(self)),
        }
    }

    /// The slot of a label set that is known to have a series of its own, none of its labels being open.
    #[inline]
    pub(crate) fn own_slot(&self) -> &Slot {
        &self.slot
    }

    /// Whether it leads to the series of "other", since the label set found no place.
    fn is_others(&self) -> bool {
        self.elsewhere.as_ref().is_some_and(|elsewhere| elsewhere.is_others())
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

    /// That of whoever asks for it.
    fn hash(&self) -> u64 {
        let label = |text| match text {
            &LabelText::Closed(text) => Label::Closed(text),
            LabelText::Open(text) => Label::Open(text.as_bytes()),
        };
        hash::of(self.key, self.labels.iter().map(label))
    }
}

impl Elsewhere {
    #[cold]
    #[inline(never)]
    fn slot(&self) -> &Slot {
        self.overflow.iter().for_each(|overflow| overflow.add(1));
        &self.series.slot
    }

    #[cold]
    fn kept_slot(&self, ask: impl FnOnce() -> Option<Arc<Entry>>) -> &Slot {
        if let Some(own) = self.own.get() {
            return &own.slot;
        }
        let now = epoch();
        // An allocator that records under the family's own lock waits for another time.
        if self.is_others() && self.asked_at.load(Relaxed) != now.0 && !lock::is_inside() {
            if let Some(own) = ask() {
                return &self.own.get_or_make(|| own).slot;
            }
            self.asked_at.store(now.0, Relaxed);
        }
        self.slot()
    }

    /// Whether it is the series of "other".
    fn is_others(&self) -> bool {
        !self.overflow.is_empty() && self.own.get().is_none()
    }

    fn leads_to(&self) -> &Entry {
        self.own.get().unwrap_or(&self.series)
    }
}

/// Shows `record` the entry of a label set, if this thread remembers it.
#[inline]
pub(crate) fn remembered<R>(asked: &Asked<'_>, record: impl FnOnce(&Arc<Entry>) -> R) -> Option<R> {
    cache::with(asked, record)
}

/// As [`remembered`], for who keeps it for a while.
#[inline]
pub(crate) fn held(asked: &Asked<'_>) -> Option<Held> {
    remembered(asked, Held::new)
}

/// Lets this thread remember an entry that it asked for at this epoch.
pub(crate) fn remember(entry: &Arc<Entry>, found_at: Epoch) {
    cache::insert(entry, found_at);
}
