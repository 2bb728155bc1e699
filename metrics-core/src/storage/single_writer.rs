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

/// Adds to a count that this thread alone writes. No `fetch_add`: the locked instruction costs as much as a clock reading.
#[inline]
pub(super) fn add(count: &AtomicU64, n: u64) {
    count.store(count.load(Relaxed).wrapping_add(n), Relaxed);
}
