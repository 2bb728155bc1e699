//! Handles to entries, with a reference count on which threads do not contend.
//!
//! All threads share an entry's reference count. A handle that is created for one recording changes it twice, with
//! locked instructions, on which threads that record to one series would contend. So each thread keeps the handles
//! that it drops, and reuses them for the same entry.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::cache::{epoch, remember, remembered, with};
use super::entry::Entry;
use super::label_set::LabelSetQuery;
use crate::lock;
use crate::storage::Slot;

/// The number of entries that a thread keeps: more than it records to at the same time. They take 512 bytes per
/// thread.
const AT_HAND: usize = 64;

thread_local! {
    static HAND: Hand = const { Hand([const { Cell::new(None) }; AT_HAND]) };
}

struct Hand([Cell<Option<Arc<Entry>>>; AT_HAND]);

/// A handle to an entry.
///
/// Its entry is not in an `Option` that its drop could take: every recording with closed labels, whose handles have
/// the same type, would check it, which takes two instructions of twenty.
#[derive(Clone, Debug)]
pub(crate) struct EntryHandle(ManuallyDrop<Arc<Entry>>);

/// The handle of a label set's entry, if this thread remembers it.
#[inline]
pub(crate) fn held(query: &LabelSetQuery<'_>) -> Option<EntryHandle> {
    remembered(query, EntryHandle::new)
}

impl EntryHandle {
    /// Reuses the kept handle of the entry, or creates one.
    #[inline]
    pub(super) fn new(entry: &Arc<Entry>) -> Self {
        // A thread that is ending has none.
        let at_hand = HAND.try_with(|hand| hand.place(entry).take()).ok().flatten();
        match at_hand {
            Some(at_hand) if Arc::ptr_eq(&at_hand, entry) => at_hand.into(),
            other => {
                drop(other);
                Arc::clone(entry).into()
            }
        }
    }

    #[inline]
    pub(crate) fn entry(&self) -> &Entry {
        &self.0
    }

    /// Records to the series of the entry's label set. If that is not within the limits, because it was removed or
    /// was over them, it is looked up like a new label set: in this thread's cache, or by `look_up`.
    #[inline]
    pub(crate) fn record(&self, record: impl Fn(&Slot), look_up: impl FnOnce(&Entry) -> Option<Arc<Entry>>) {
        match self.0.live_slot() {
            Some(slot) => record(slot),
            None => record_elsewhere(&self.0, record, look_up),
        }
    }
}

#[cold]
#[inline(never)]
fn record_elsewhere(
    entry: &Entry,
    record: impl Fn(&Slot),
    look_up: impl FnOnce(&Entry) -> Option<Arc<Entry>>,
) {
    if let Some(slot) = entry.shared_series().and_then(|series| series.live_slot()) {
        return record(slot);
    }
    let is_same = |known: &Entry| known.is_of_same_set(entry);
    if with(entry.hash(), is_same, |known| known.record(&record)).is_some() {
        return;
    }
    if lock::is_inside() {
        // An allocator cannot look it up. The next sweep finds its recording in a hidden series.
        return entry.record(record);
    }
    let found_at = epoch();
    match look_up(entry) {
        Some(current) => {
            current.record(record);
            remember(&current, found_at);
        }
        None => entry.record(record),
    }
}

impl From<Arc<Entry>> for EntryHandle {
    fn from(entry: Arc<Entry>) -> Self {
        Self(ManuallyDrop::new(entry))
    }
}

impl Drop for EntryHandle {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the field is not used again, because this is being dropped.
        give_back(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

/// Not inlined, because recordings with closed labels skip it.
#[inline(never)]
fn give_back(entry: Arc<Entry>) {
    let former = HAND.try_with(|hand| hand.place(&entry).replace(Some(entry)));
    // Nothing is borrowed here, so that an allocator may record the deallocation.
    drop(former);
}

impl Hand {
    #[inline]
    fn place(&self, entry: &Arc<Entry>) -> &Cell<Option<Arc<Entry>>> {
        // Entries that are adjacent in memory have different slots.
        let address = Arc::as_ptr(entry).addr();
        &self.0[(address / size_of::<Entry>()) % AT_HAND]
    }
}

/// Drops the kept handles, since they may be of series that were removed.
pub(super) fn empty() {
    for place in 0..AT_HAND {
        drop(HAND.try_with(|hand| hand.0[place].take()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalogue::CLOCK_FALLBACKS_TOTAL;
    use crate::series::FamilyKey;
    use crate::series::entry::CountsIn;

    #[test]
    fn a_handle_that_is_made_and_dropped_changes_nothing_that_other_threads_read() {
        let entry = Arc::new(Entry::new(
            FamilyKey::new(),
            Vec::new(),
            Duration::ZERO,
            CountsIn::Own(Slot::new(&CLOCK_FALLBACKS_TOTAL, false, Arc::default())),
        ));
        std::thread::scope(|scope| {
            let live = || {
                drop(EntryHandle::new(&entry));
                let at_hand = Arc::strong_count(&entry);
                for _ in 0..10 {
                    let held = EntryHandle::new(&entry);
                    assert_eq!(Arc::strong_count(&entry), at_hand);
                    drop(held.clone());
                    drop(held);
                    assert_eq!(Arc::strong_count(&entry), at_hand);
                }
                empty();
                assert_eq!(Arc::strong_count(&entry), 1);
                drop(EntryHandle::new(&entry));
            };
            // Joined, so that the thread's kept handles are dropped.
            scope.spawn(live).join().expect("it ends well");
        });
        assert_eq!(Arc::strong_count(&entry), 1, "a thread that ends drops its handles");
    }
}
