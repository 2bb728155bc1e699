//! Memory that one thread at a time writes and any may read.

use super::sync::AtomicU64;
use super::sync::Ordering::{AcqRel, Relaxed, Release};

/// Whose memory it is: from one thread to the next it goes with all that was written.
#[derive(Debug)]
pub(super) struct Writer(AtomicU64);

impl Writer {
    /// The thread of this mark; nobody, where that is 0.
    pub(super) fn new(thread: u64) -> Self {
        Self(AtomicU64::new(thread))
    }

    /// Makes it the thread of this mark, unless it is another one.
    pub(super) fn take(&self, thread: u64) -> bool {
        // Acquire: who goes on counting sees where the last one stopped.
        self.0.compare_exchange(0, thread, AcqRel, Relaxed).is_ok()
    }

    /// The mark of the thread, 0 while it is none.
    pub(super) fn thread(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Leaves the memory to the next thread.
    pub(super) fn give_back(&self) {
        self.0.store(0, Release);
    }
}

/// Larger numbers than this are added with care for where a count ends.
const SMALL: u64 = u8::MAX as u64;

/// Where a count stays rather than begin again, which would look like a restart. The other half is left to small numbers,
/// which do not ask: a thread that does nothing but add them needs years for it.
const HALF: u64 = 1 << 63;

/// Adds to a count that this thread alone writes. No `fetch_add`: the locked instruction costs as much as a clock reading.
#[inline]
pub(super) fn add(count: &AtomicU64, n: u64) {
    if n <= SMALL {
        count.store(count.load(Relaxed).wrapping_add(n), Relaxed);
    } else {
        add_large(count, n);
    }
}

/// Adds one to a count that this thread alone writes.
#[inline]
pub(super) fn increment(count: &AtomicU64) {
    count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
}

#[cold]
#[inline(never)]
fn add_large(count: &AtomicU64, n: u64) {
    let counted = count.load(Relaxed);
    count.store(counted.saturating_add(n).min(HALF).max(counted), Relaxed);
}

/// Adds to a count that any thread writes; it stays at the largest number.
pub(super) fn add_shared(count: &AtomicU64, n: u64) {
    // It never gives up: the closure always has a value.
    let _ = count.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_add(n)));
}
