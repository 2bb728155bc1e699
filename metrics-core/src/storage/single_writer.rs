//! Memory with a single writer at a time and any number of readers.

use super::sync::Ordering::{AcqRel, Relaxed, Release};
use super::sync::{AtomicU64, yield_now};

/// The owner of some memory; the memory passes from one owner to the next with all its values.
#[derive(Debug)]
pub(super) struct Writer(AtomicU64);

impl Writer {
    /// Owned by this thread, or by none if `thread` is 0.
    pub(super) fn new(thread: u64) -> Self {
        Self(AtomicU64::new(thread))
    }

    /// Makes this thread the owner, unless there is another one.
    pub(super) fn take(&self, thread: u64) -> bool {
        // Acquire: the new owner sees the values of the previous one.
        self.0.compare_exchange(0, thread, AcqRel, Relaxed).is_ok()
    }

    /// The owner, 0 if there is none.
    pub(super) fn thread(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Releases the memory to the next thread.
    pub(super) fn give_back(&self) {
        self.0.store(0, Release);
    }

    /// Makes this thread the owner while it records, once no other one is. Returns whether it recorded: a signal
    /// handler that interrupts a recording of its thread does not.
    pub(super) fn borrow(&self, thread: u64, record: impl FnOnce()) -> bool {
        while !self.take(thread) {
            if self.thread() == thread {
                return false;
            }
            yield_now();
        }
        record();
        self.give_back();
        true
    }
}

/// Numbers above this are added with a check for overflow.
const SMALL: u64 = u8::MAX as u64;

/// The value at which a count saturates, because wrapping would look like a restart. The other half of the range is
/// reserved for small numbers, which do not check: a thread that only adds them needs years to use it up.
const HALF: u64 = 1 << 63;

/// Adds to a count that only this thread writes. Not with `fetch_add`, whose locked instruction costs as much as a
/// clock reading.
#[inline]
pub(super) fn add(count: &AtomicU64, n: u64) {
    if n <= SMALL {
        count.store(count.load(Relaxed).wrapping_add(n), Relaxed);
    } else {
        add_large(count, n);
    }
}

#[cold]
#[inline(never)]
fn add_large(count: &AtomicU64, n: u64) {
    let counted = count.load(Relaxed);
    count.store(counted.saturating_add(n).min(HALF).max(counted), Relaxed);
}

/// Adds to a count that any thread writes; saturates at the largest number.
pub(super) fn add_shared(count: &AtomicU64, n: u64) {
    // This cannot fail, since the closure always returns a value.
    let _ = count.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_add(n)));
}
