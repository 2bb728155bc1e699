//! Each part under loom with a writer that remembers the values it stored and loads nothing.
//!
//! A load that precedes a store hides a missing fence from loom, because the store cannot be seen before the loaded
//! value. Words that are written with locked instructions have a single writer here, to which a store is equivalent.

mod sync {
    pub(super) use loom::sync::atomic::{Ordering, fence};
    pub(super) use loom::thread::yield_now;
    // No list grows in these models.
    pub(super) use std::sync::OnceLock;
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
            if writes() { self.last.load(Relaxed) } else { self.memory.load(ordering) }
        }

        pub(super) fn store(&self, value: u64, ordering: Ordering) {
            self.last.store(value, Relaxed);
            self.memory.store(value, ordering);
        }

        pub(super) fn compare_exchange(
            &self,
            current: u64,
            new: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            if !writes() {
                let exchanged = self.memory.compare_exchange(current, new, success, failure);
                exchanged.inspect(|_| self.last.store(new, Relaxed))
            } else if self.last.load(Relaxed) == current {
                self.update(success, |_| new);
                Ok(current)
            } else {
                Err(self.last.load(Relaxed))
            }
        }

        pub(super) fn fetch_add(&self, n: u64, ordering: Ordering) -> u64 {
            self.update(ordering, |value| value.wrapping_add(n))
        }

        pub(super) fn fetch_sub(&self, n: u64, ordering: Ordering) -> u64 {
            self.update(ordering, |value| value.wrapping_sub(n))
        }

        pub(super) fn fetch_max(&self, n: u64, ordering: Ordering) -> u64 {
            self.update(ordering, |value| value.max(n))
        }

        pub(super) fn fetch_update(
            &self,
            set: Ordering,
            _: Ordering,
            new: impl Fn(u64) -> Option<u64>,
        ) -> Result<u64, u64> {
            Ok(self.update(set, |value| new(value).expect("each value has one")))
        }

        fn update(&self, ordering: Ordering, new: impl Fn(u64) -> u64) -> u64 {
            assert!(writes(), "by the one writer");
            let last = self.last.load(Relaxed);
            let releases = matches!(ordering, Ordering::Release | Ordering::AcqRel);
            self.store(new(last), if releases { Ordering::Release } else { Ordering::Relaxed });
            last
        }
    }

    fn writes() -> bool {
        WRITES.with(std::cell::Cell::get)
    }
}
include!("sources.rs");
include!("loom_models.rs");

fn become_writer() {
    sync::WRITES.with(|writes| writes.set(true));
}

#[test]
fn borrowed_shard_two_ends() {
    borrowed_shard_model::check(1, 2, 2);
}

#[test]
fn borrowed_words_two() {
    borrowed_words_model::check(1, 2, 2);
}
