//! What each thread is doing about reports, so that none causes another.

use std::cell::Cell;

use crate::lock;

/// The state of a thread with respect to reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Nothing,
    /// It is sending a report.
    Telling,
    /// It calls hooks, for its whole life.
    CallingHooks,
}

thread_local! {
    pub(super) static DOING: Cell<Doing> = const { Cell::new(Doing::Nothing) };
}

/// Marks that a thread is sending a report, until dropped.
pub(super) struct Telling;

impl Telling {
    /// Returns `None` if this thread is already sending one, or is inside a lock: an allocator may be calling, and
    /// must not wait for the lock under which it was called.
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
