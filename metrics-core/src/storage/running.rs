//! A call from its beginning to its end.

use super::recorder::{Ending, NOWHERE, Recorder, Share};
use super::spare::lose;
use super::thread;
use crate::clock::{self, Clock};

/// A call under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    share: &'static Share,
    started: u64,
}

/// In the tick at which a call began: no machine runs for so long.
const MARK: u64 = 1 << 63;

impl Running {
    /// Begins a call by the time stamp counter, where this thread has a share of the near recorder of this number.
    /// Then, and only then, may it be ended by the counter.
    #[inline]
    pub(super) fn start_quickly(near: impl FnOnce() -> usize) -> Option<Self> {
        let share = thread::near(near)?;
        // As late as can be: what was done above is not the call's.
        let started = clock::time_stamp();
        share.start(started);
        Some(Self { share, started })
    }

    /// A call that is recorded nowhere. It reads no clock: the first reading allocates, and so might be what called for
    /// it.
    pub(super) fn nowhere() -> Self {
        lose();
        Self { share: NOWHERE.token(), started: 0 }
    }

    /// Begins a call by `clock`.
    pub(super) fn start(recorder: &'static Recorder, clock: &Clock) -> Self {
        let share = thread::share(recorder.id()).unwrap_or_else(|| thread::join(recorder));
        let started = clock.ticks();
        if share.is_token() {
            recorder.start_shared(started);
        } else {
            share.start(started);
        }
        Self { share, started }
    }

    /// The same call, unfit for a quick end.
    pub(super) fn with_token(self) -> Self {
        Self { share: self.share.home.token(), ..self }
    }

    /// The same call with a mark.
    pub(super) fn marked(self) -> Self {
        Self { started: self.started | MARK, ..self }
    }

    pub(crate) fn is_marked(self) -> bool {
        self.started & MARK != 0
    }

    /// The same call, to be ended on this thread whichever it began on.
    #[inline]
    pub(crate) fn here(self) -> Self {
        let home = self.share.home;
        let share = thread::share(home.id()).unwrap_or_else(|| thread::join(home));
        Self { share, ..self }
    }

    /// When it began, if that was on this thread.
    pub(crate) fn began_here(self) -> Option<u64> {
        let here = thread::share(self.share.home.id())?;
        std::ptr::eq(here, self.share).then_some(self.started & !MARK)
    }

    /// The same call as if it had begun so many ticks later, on whatever thread.
    pub(crate) fn postponed(self, by: u64) -> Self {
        let here = self.here();
        self.share.home.postpone(here.share, by);
        Self { started: self.started.wrapping_add(by), ..self }
    }

    /// The same call without what was waited since it began. What was subtracted before is not subtracted again, and it
    /// never begins later than now.
    pub(crate) fn without(self, waited_since: impl FnOnce(u64) -> u64) -> Self {
        self.postponed(waited_since(self.started))
    }

    /// Ends it well at `now`, on the thread that it began on; or says that it took too long for that.
    #[inline]
    pub(crate) fn end_quickly(self, now: u64) -> bool {
        // Beyond any limit where a clock went back.
        let took = now.wrapping_sub(self.started);
        let quick = self.share.is_quick(took);
        if quick {
            self.share.end_quickly(self.started, took, now);
        }
        quick
    }

    /// The same for a call of a site, by the time stamp counter.
    #[inline]
    pub(crate) fn end_quickly_by_time_stamp(self) -> bool {
        self.end_quickly(clock::time_stamp())
    }

    /// The same on whatever thread. A token has no near number.
    #[inline]
    pub(crate) fn end_quickly_anywhere_by_time_stamp(self) -> bool {
        thread::near(|| self.share.near().into())
            .is_some_and(|share| Self { share, ..self }.end_quickly_by_time_stamp())
    }

    /// Ends it at `now`, on the thread that it began on or the one where it is [`here`](Self::here).
    #[inline]
    pub(crate) fn end(self, ending: Ending, now: u64) {
        self.share.home.end(self.share, ending, self.started & !MARK, now);
    }

    /// Ends a call of a site, on whatever thread.
    #[inline(never)]
    pub(crate) fn end_site(self, ending: Ending) {
        let now = clock::time_stamp();
        match thread::near(|| self.share.near().into()) {
            Some(share) => Self { share, ..self }.end(ending, now),
            None => self.end_site_slowly(ending),
        }
    }

    #[cold]
    #[inline(never)]
    fn end_site_slowly(self, ending: Ending) {
        if self.share.home.is_nowhere() {
            return;
        }
        // Began by the counter, it ends by the counter, even where that was given up meanwhile.
        let now = if self.share.is_token() { clock::now() } else { clock::time_stamp() };
        self.here().end(ending, now);
    }
}
