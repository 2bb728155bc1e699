//! Which share of a series is this thread's.

use std::cell::{Cell, RefCell};

use super::recorder::{Recorder, Share};
use crate::lock;
use crate::storage::waiting;

/// Recorders that are found by one load: as many as a byte can number, so that the index needs no check, and more than
/// the seed's subsystems and all its operations at all its exchanges. They cost each thread 2 KiB; a share of any
/// other recorder is found through [`Membership`].
pub(super) const NEAR: usize = 1 << u8::BITS;

thread_local! {
    /// By the recorder's near number. Nothing in it is ever dropped, so that it can be read in a thread that is ending.
    static SHARES: [Cell<Option<&'static Share>>; NEAR] = const { [const { Cell::new(None) }; NEAR] };
    static MEMBERSHIP: RefCell<Membership> = const { RefCell::new(Membership(Vec::new())) };
}

/// All shares of a thread, by the recorder's number. They go back when it ends.
struct Membership(Vec<Option<&'static Share>>);

/// This thread's share of the near recorder of this number, if it has one.
///
/// The number is asked for late, since whatever is known before the thread's memory is found must be saved meanwhile:
/// four instructions less.
#[inline]
pub(super) fn near(near: impl FnOnce() -> usize) -> Option<&'static Share> {
    SHARES.with(|shares| shares[near()].get())
}

/// This thread's share of the recorder of this number, if it has one.
#[inline]
pub(super) fn share(id: usize) -> Option<&'static Share> {
    if id < NEAR { near(|| id) } else { far(id) }
}

fn far(id: usize) -> Option<&'static Share> {
    let found = |membership: &RefCell<Membership>| membership.try_borrow().ok()?.0.get(id).copied().flatten();
    MEMBERSHIP.try_with(found).ok().flatten()
}

/// As [`share`], for a thread's first call: makes the share, or gives the token where that cannot be, in a thread that
/// is ending, or where an allocator records what is allocated here.
#[cold]
#[inline(never)]
pub(super) fn join(recorder: &'static Recorder) -> &'static Share {
    if let Some(share) = share(recorder.id()) {
        return share;
    }
    if lock::is_inside() || recorder.is_nowhere() {
        return recorder.token();
    }
    let joined = {
        let _inside = lock::enter();
        // The destructor is arranged for before there is anything to destroy.
        MEMBERSHIP.try_with(|membership| {
            let share = recorder.admit();
            share.set_waited(waiting::total());
            membership.borrow_mut().insert(recorder.id(), share);
            share
        })
    };
    joined.unwrap_or_else(|_| recorder.token())
}

/// Tells each share of this thread how many ticks the thread has waited.
pub(crate) fn copy_waited(ticks: u64) {
    let copy = |membership: &RefCell<Membership>| {
        let membership = membership.try_borrow().ok()?;
        membership.0.iter().flatten().for_each(|share| share.set_waited(ticks));
        Some(())
    };
    // A thread that is ending has none. One that is making its share, for which an allocator waits, is inside no call
    // of that series.
    let _ = MEMBERSHIP.try_with(copy);
}

impl Membership {
    fn insert(&mut self, id: usize, share: &'static Share) {
        if self.0.len() <= id {
            self.0.resize(id + 1, None);
        }
        self.0[id] = Some(share);
        if let Ok(near) = u8::try_from(id) {
            SHARES.with(|shares| shares[usize::from(near)].set(Some(share)));
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        // An allocator that records what is freed here must not come back for a share.
        SHARES.with(|shares| shares.iter().for_each(|share| share.set(None)));
        for share in self.0.drain(..).flatten() {
            share.give_back();
        }
    }
}
