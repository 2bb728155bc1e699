//! Series whose labels are texts that are known only when they are recorded: a profile, a symbol.
//!
//! A family admits a bounded number of values to each such label, under a lock. Which series a label set has, each
//! thread then remembers, so that it neither locks nor allocates for a set that it has recorded before. Label sets are
//! told apart by comparing them, never by a hash alone.

mod bounded;
mod cache;
mod entry;
pub(crate) mod grace;
mod hand;
mod hash;
mod limits;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub(crate) use bounded::BoundedSeries;
pub(crate) use cache::{Epoch, epoch};
pub(crate) use entry::Entry;
pub(crate) use hand::Held;
pub(crate) use limits::Bound;

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

/// A label set whose series is looked up. It borrows the labels: to copy them first takes longer than the look-up.
#[derive(Debug)]
pub(crate) struct LabelSetQuery<'a> {
    key: FamilyKey,
    labels: &'a [Label<'a>],
    hash: u64,
}

impl<'a> LabelSetQuery<'a> {
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

/// Shows `record` the entry of a label set, if this thread remembers it.
#[inline]
pub(crate) fn remembered<R>(query: &LabelSetQuery<'_>, record: impl FnOnce(&Arc<Entry>) -> R) -> Option<R> {
    cache::with(query.hash, |entry| entry.is(query), record)
}

/// As [`remembered`], for a handle.
#[inline]
pub(crate) fn held(query: &LabelSetQuery<'_>) -> Option<Held> {
    remembered(query, Held::new)
}

/// Lets this thread remember an entry that it looked up at this epoch.
pub(crate) fn remember(entry: &Arc<Entry>, found_at: Epoch) {
    cache::insert(entry, found_at);
}
