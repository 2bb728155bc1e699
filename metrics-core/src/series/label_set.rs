//! A label set: as it is asked for, and as it is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::hash;

/// Identifies a family in the caches of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FamilyKey(pub(super) usize);

impl FamilyKey {
    /// The key of a family that lives as long as its instance.
    pub(crate) fn new() -> Self {
        // Odd, whereas aligned addresses are even.
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        Self(NEXT.fetch_add(2, Relaxed))
    }

    /// The key of a family that lives for ever.
    pub(crate) fn of<T>(family: &'static T) -> Self {
        const { assert!(align_of::<T>() > 1) };
        Self(std::ptr::from_ref(family).addr())
    }
}

/// A label's value in a query.
#[derive(Clone, Copy, Debug)]
pub enum QueriedLabel<'a> {
    /// A value of a closed set.
    Closed(&'static str),
    /// Any text, as its bytes. The bytes of a copied text are known to be valid UTF-8; checking that again would take
    /// longer than finding the series.
    Open(&'a [u8]),
}

/// The query for the series of a label set. It borrows the labels, because copying them would take longer than the
/// look-up.
#[derive(Debug)]
pub(crate) struct LabelSetQuery<'a> {
    pub(super) key: FamilyKey,
    pub(super) labels: &'a [QueriedLabel<'a>],
    pub(super) hash: u64,
}

impl<'a> LabelSetQuery<'a> {
    #[inline]
    pub(crate) fn new(key: FamilyKey, labels: &'a [QueriedLabel<'a>]) -> Self {
        Self { key, labels, hash: hash::of(key, labels.iter().copied()) }
    }
}

/// A label's value that is stored with a series or in a cache. All values of one label are of the same variant, so that
/// they compare as their texts do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
