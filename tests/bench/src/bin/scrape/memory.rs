//! The memory in use.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

/// The system's allocator with a count of the bytes in use.
pub(crate) struct Counting;

static IN_USE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
/// The peak is tracked only while nothing is timed.
static WATCHED: AtomicBool = AtomicBool::new(false);

pub(crate) fn in_use() -> i64 {
    IN_USE.load(Relaxed)
}

/// The peak of the bytes in use during `work`, above those in use before.
pub(crate) fn peak_of(work: impl FnOnce()) -> i64 {
    let before = in_use();
    PEAK.store(before, Relaxed);
    WATCHED.store(true, Relaxed);
    work();
    WATCHED.store(false, Relaxed);
    PEAK.load(Relaxed) - before
}

fn count(bytes: i64) {
    let now = IN_USE.fetch_add(bytes, Relaxed) + bytes;
    if WATCHED.load(Relaxed) {
        PEAK.fetch_max(now, Relaxed);
    }
}

fn size(layout: Layout) -> i64 {
    i64::try_from(layout.size()).unwrap_or(0)
}

// SAFETY: every call is forwarded to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(size(layout));
        // SAFETY: guaranteed by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-size(layout));
        // SAFETY: guaranteed by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(i64::try_from(new_size).unwrap_or(0) - size(layout));
        // SAFETY: guaranteed by the caller.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
