use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

use bot_metrics::prelude::*;

/// Counts the allocations of each thread and the bytes in use, and records allocations on request.
pub(crate) struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
    static RECORDS: Cell<bool> = const { Cell::new(false) };
    static STALLS: Cell<bool> = const { Cell::new(false) };
}

static IN_USE: AtomicI64 = AtomicI64::new(0);
static STALLED: AtomicBool = AtomicBool::new(false);
static RELEASED: AtomicBool = AtomicBool::new(false);

/// The number of allocations of this thread.
pub(crate) fn asked() -> u64 {
    ASKED.get()
}

/// The bytes in use by the whole process.
pub(crate) fn in_use() -> i64 {
    IN_USE.load(Relaxed)
}

/// Runs `body` while every allocation of this thread is recorded as a call of [`allocation`].
pub(crate) fn recording<R>(body: impl FnOnce() -> R) -> R {
    RECORDS.set(true);
    let value = body();
    RECORDS.set(false);
    value
}

/// Runs `body`, whose first allocation blocks until [`release`] is called.
pub(crate) fn stalling<R>(body: impl FnOnce() -> R) -> R {
    STALLS.set(true);
    body()
}

/// Whether a thread is blocked in an allocation.
pub(crate) fn is_stalled() -> bool {
    STALLED.load(Relaxed)
}

pub(crate) fn release() {
    RELEASED.store(true, Relaxed);
}

#[exchange_call(op = "get_candles", exchange = "kraken")]
fn allocation() {}

// SAFETY: every call is forwarded to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        IN_USE.fetch_add(i64::try_from(layout.size()).unwrap_or(0), Relaxed);
        if STALLS.replace(false) {
            STALLED.store(true, Relaxed);
            while !RELEASED.load(Relaxed) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
        if RECORDS.get() {
            allocation();
        }
        // SAFETY: guaranteed by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(i64::try_from(layout.size()).unwrap_or(0), Relaxed);
        // SAFETY: guaranteed by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}
