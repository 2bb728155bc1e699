//! Each part under loom as written: a writer loads, adds and stores.

mod sync {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering, fence};
    pub(super) use loom::thread::yield_now;

    /// The standard library's `OnceLock`, with one of loom's atomics in it.
    mod once_lock {
        use loom::sync::atomic::{AtomicPtr, Ordering};

        include!("once_lock.rs");
    }
    pub(super) use once_lock::OnceLock;
}
include!("sources.rs");
include!("loom_models.rs");

fn become_writer() {}

#[test]
fn borrowed_shard_two_writers() {
    borrowed_shard_model::check(2, 1, 2);
}

#[test]
fn borrowed_words_two_writers() {
    borrowed_words_model::check(2, 1, 2);
}

#[test]
fn place_two_writers() {
    place_model::check_rivals();
}

#[test]
fn chain_two_writers() {
    chain_model::check();
}
