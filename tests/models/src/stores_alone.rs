//! The same shard with a writer that knows what it last stored and loads nothing.
//!
//! A load that precedes a store hides a missing fence from loom: the store cannot be seen before what the load saw.

use std::sync::Arc;

mod sync {
    pub(super) use loom::sync::atomic::{Ordering, fence};
    use std::sync::atomic::Ordering::Relaxed;

    loom::thread_local! {
        pub(super) static WRITES: std::cell::Cell<bool> = std::cell::Cell::new(false);
    }

    #[derive(Debug)]
    pub(super) struct AtomicU64 {
        memory: loom::sync::atomic::AtomicU64,
        last: std::sync::atomic::AtomicU64,
    }

    impl AtomicU64 {
        pub(super) fn new(value: u64) -> Self {
            Self { memory: loom::sync::atomic::AtomicU64::new(value), last: value.into() }
        }

        pub(super) fn load(&self, ordering: Ordering) -> u64 {
            if WRITES.with(std::cell::Cell::get) {
                self.last.load(Relaxed)
            } else {
                self.memory.load(ordering)
            }
        }

        pub(super) fn compare_exchange(
            &self,
            current: u64,
            new: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            self.memory.compare_exchange(current, new, success, failure)
        }

        pub(super) fn store(&self, value: u64, ordering: Ordering) {
            self.last.store(value, Relaxed);
            self.memory.store(value, ordering);
        }
    }
}
#[path = "../../../metrics-core/src/storage/shard.rs"]
mod shard;
#[path = "../../../metrics-core/src/storage/totals.rs"]
mod totals;

include!("shard_model.rs");

fn become_writer() {
    sync::WRITES.with(|writes| writes.set(true));
}

#[test]
fn quick_and_other_ends() {
    check(3, 2);
}
