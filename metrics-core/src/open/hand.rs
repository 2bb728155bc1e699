//! Who keeps an entry for a while.
//!
//! All threads count on one word who keeps an entry. A handle that is made for one recording would change it twice, and
//! threads that record to one series would wait for each other there. So what a thread lets go of it keeps at hand, and
//! gives it out again as it is.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::Entry;

/// Entries that a thread has at hand: more than it records to at the same time. They take 512 bytes a thread.
const AT_HAND: usize = 64;

thread_local! {
    static HAND: Hand = const { Hand([const { Cell::new(None) }; AT_HAND]) };
}

struct Hand([Cell<Option<Arc<Entry>>>; AT_HAND]);

/// An entry that somebody keeps.
///
/// It goes when this is dropped, and not later: an `Option` in its place is asked for whether it is there by every
/// recording with closed labels too, whose handles look the same, which is two instructions of twenty.
#[derive(Clone, Debug)]
pub(crate) struct Held(ManuallyDrop<Arc<Entry>>);

impl Held {
    /// The one at hand, or one more.
    #[inline]
    pub(super) fn new(entry: &Arc<Entry>) -> Self {
        // There is none in a thread that is ending.
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
}

impl From<Arc<Entry>> for Held {
    fn from(entry: Arc<Entry>) -> Self {
        Self(ManuallyDrop::new(entry))
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is not used again, this being dropped.
        give_back(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

/// Not inlined: recordings with closed labels go by it.
#[inline(never)]
fn give_back(entry: Arc<Entry>) {
    let former = HAND.try_with(|hand| hand.place(&entry).replace(Some(entry)));
    // Nothing is borrowed here, where an allocator may record what is freed.
    drop(former);
}

impl Hand {
    #[inline]
    fn place(&self, entry: &Arc<Entry>) -> &Cell<Option<Arc<Entry>>> {
        // Two that stand next to each other in memory have different ones.
        let address = Arc::as_ptr(entry).addr();
        &self.0[(address / size_of::<Entry>()) % AT_HAND]
    }
}

/// Lets go of what is at hand: it may be of series that were removed.
pub(super) fn empty() {
    for place in 0..AT_HAND {
        drop(HAND.try_with(|hand| hand.0[place].take()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::FamilyKey;
    use crate::storage::Slot;

    #[test]
    fn a_handle_that_is_made_and_dropped_changes_nothing_that_other_threads_read() {
        let entry = Arc::new(Entry::new(FamilyKey::new(), Vec::new(), Slot::none()));
        std::thread::scope(|scope| {
            let live = || {
                drop(Held::new(&entry));
                let at_hand = Arc::strong_count(&entry);
                for _ in 0..10 {
                    let held = Held::new(&entry);
                    assert_eq!(Arc::strong_count(&entry), at_hand);
                    drop(held.clone());
                    drop(held);
                    assert_eq!(Arc::strong_count(&entry), at_hand);
                }
                empty();
                assert_eq!(Arc::strong_count(&entry), 1);
                drop(Held::new(&entry));
            };
            // Joined, so that what it had for itself is gone.
            scope.spawn(live).join().expect("it ends well");
        });
        assert_eq!(Arc::strong_count(&entry), 1, "a thread that ends lets go");
    }
}
