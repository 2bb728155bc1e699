//! The recordings of threads without memory of their own: in thread-local destructors, after `main`, or in an allocator
//! that is called while that memory is created. They borrow memory of the series, or are lost.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::recorder::CallShard;
use super::single_writer::Writer;
use crate::lock::{self, ThreadMark};

/// The number of series to which an allocator can record for the first time while memory is being allocated for
/// another series; no memory can be allocated for these.
const RESERVED: usize = 16;

/// Counts in each of these; more than the core families have.
const RESERVED_COUNTS: usize = 64;

static RESERVE: [(OnceLock<CallShard>, [AtomicU64; RESERVED_COUNTS]); RESERVED] =
    [const { (OnceLock::new(), [const { AtomicU64::new(0) }; RESERVED_COUNTS]) }; RESERVED];

/// A shard in memory that was reserved, which `make` makes from this many counts; `None` if there is no more.
pub(super) fn reserved(
    counts: usize,
    make: impl Fn(&'static [AtomicU64]) -> CallShard,
) -> Option<&'static CallShard> {
    RESERVE.iter().find_map(|(place, words)| {
        let shard = make(words.get(..counts)?);
        place.set(shard).is_ok().then(|| place.get()).flatten()
    })
}

/// Runs `record` while this thread owns the memory of `writer`.
pub(super) fn borrow(writer: &Writer, record: impl FnOnce()) {
    // A forked child would wait for ever for memory that another thread of its parent had borrowed.
    let _inside = lock::enter();
    if !writer.borrow(ThreadMark::of_this().0, record) {
        lose();
    }
}

/// The number of lost recordings.
static LOST: AtomicU64 = AtomicU64::new(0);

/// Counts a recording as lost, because the thread may neither allocate nor wait.
pub(crate) fn lose() {
    LOST.fetch_add(1, Relaxed);
}

/// Runs `record`, which takes locks and may allocate, unless this thread is inside a lock. In that case an allocator
/// is recording an allocation made under the lock and must neither wait for it nor allocate, so the recording is
/// lost. An allocator that records an allocation made by `record` itself is refused in the same way.
pub(crate) fn record_outside(record: impl FnOnce()) {
    if lock::outside(record).is_none() {
        lose();
    }
}

/// The number of lost recordings of this process.
pub(crate) fn lost() -> u64 {
    LOST.load(Relaxed)
}
