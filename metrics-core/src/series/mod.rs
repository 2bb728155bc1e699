//! Series with labels whose values are known only when they are recorded: a profile, a symbol.
//!
//! A family admits a bounded number of values of each such label, under a lock. Each thread caches the series of a
//! label set, so that it neither locks nor allocates for a set that it has recorded before. Label sets are
//! distinguished by comparison, never by a hash alone.

mod bounded;
mod cache;
mod cached;
mod entry;
mod hand;
mod hash;
mod label_set;
mod limits;

pub(crate) use bounded::{BoundedSeries, collect};
pub(crate) use cache::{epoch, remember};
pub(crate) use cached::CachedSeries;
pub(crate) use entry::Entry;
pub(crate) use hand::{EntryHandle, held};
pub(crate) use label_set::{FamilyKey, LabelSetQuery, QueriedLabel};
#[cfg(test)]
pub(crate) use limits::GRACE;
pub(crate) use limits::{Bound, grace_end};
