//! What each thread is doing about reports, so that none causes another.

use std::cell::Cell;

use crate::lock;

/// What a thread is doing about reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Nothing,
    /// It tells one.
    Telling,
    /// It calls hooks, as long as it lives.
    CallingHooks,
}

thread_local! {
    pub(super) static DOING: Cell<Doing> = const { Cell::new(Doing::Nothing) };
}

/// A thread that tells a report, until dropped.
pub(super) struct Telling;

impl Telling {
    /// Nothing where this thread already does, or is inside a lock: an allocator may have called, and must not wait for
    /// the lock that it was called under.
    pub(super) fn begin() -> Option<Self> {
        let begins = !lock::is_inside() && DOING.get() == Doing::Nothing;
        begins.then(|| {
            DOING.set(Doing::Telling);
            Self
        })
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        DOING.set(Doing::Nothing);
    }
}
