//! A call from its beginning to its end.

use super::ENABLED;
use super::recorder::{Ending, NOWHERE, Recorder, Share};
use super::spare::lose;
use super::thread;
use crate::clock::{self, Clock};
use crate::storage::waiting;

/// A call under way, of a series that tells how long calls have been under way if `DATED`; of one that does not, which
/// can subtract local waits instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running<const DATED: bool> {
    share: &'static Share,
    started: u64,
}

/// In the tick at which a call began: no machine runs for so long.
const MARK: u64 = 1 << 63;

/// A run of a subsystem.
pub(crate) type Run = Running<true>;

/// A call of an exchange.
pub(crate) type Call = Running<false>;

impl<const DATED: bool> Running<DATED> {
    /// Begins a call by the time stamp counter, where this thread has a share of the near recorder of this number.
    /// Then, and only then, may it be ended by the counter. An undated one begins
    /// [minus the waits of this thread](Call::minus_waited).
    #[inline]
    pub(super) fn start_quickly(near: impl FnOnce() -> usize) -> Option<Self> {
        let share = thread::near(near)?;
        // Read last, so that looking for the share is not counted as call time.
        let now = clock::time_stamp();
        if DATED {
            share.start(now);
            Some(Self { share, started: now })
        } else {
            share.start_undated();
            Some(Self { share, started: now.wrapping_sub(share.waited()) })
        }
    }

    /// A call that is recorded nowhere. It reads no clock: the first reading allocates, and so might be what called for
    /// it.
    pub(super) fn nowhere() -> Self {
        lose();
        Self::unrecorded()
    }

    fn unrecorded() -> Self {
        Self { share: NOWHERE.token(), started: 0 }
    }

    /// Begins a call by `clock`.
    pub(super) fn start(recorder: &'static Recorder, clock: &Clock) -> Self {
        if !ENABLED {
            return Self::unrecorded();
        }
        let share = thread::share(recorder.id()).unwrap_or_else(|| thread::join(recorder));
        let started = clock.ticks();
        recorder.start(share, DATED.then_some(started));
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

    /// Ends it well at `now`, on the thread that it began on; or says that it took too long for that.
    #[inline]
    pub(crate) fn end_quickly(self, now: u64) -> bool {
        // Above any limit where a clock went back.
        let took = now.wrapping_sub(self.started);
        let quick = self.share.is_quick(took);
        if quick && DATED {
            self.share.end_quickly(self.started, took, now);
        } else if quick {
            self.share.end_undated_quickly(took);
        }
        quick
    }

    /// Ends a call of a site by the time stamp counter: if undated, one minus the waits of this thread.
    #[inline]
    pub(crate) fn end_quickly_by_time_stamp(self) -> bool {
        let now = clock::time_stamp();
        self.end_quickly(if DATED { now } else { now.wrapping_sub(self.share.waited()) })
    }

    /// Ends a call of a site on whatever thread. A token has no near number.
    #[inline]
    pub(crate) fn end_quickly_anywhere_by_time_stamp(self) -> bool {
        thread::near(|| self.share.near().into())
            .is_some_and(|share| Self { share, ..self }.end_quickly(clock::time_stamp()))
    }

    /// Ends it at `now`, on the thread that it began on or the one where it is [`here`](Self::here).
    #[expect(clippy::inline_always, reason = "called, it costs each failing call 20 instructions")]
    #[inline(always)]
    pub(crate) fn end(self, ending: Ending, now: u64) {
        let began = if DATED { self.started & !MARK } else { self.started };
        self.share.home.end(self.share, ending, DATED.then_some(began), now.saturating_sub(began), now);
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

impl Call {
    /// The tick at which it began.
    pub(crate) fn started(self) -> u64 {
        self.started
    }

    /// This call as if it had begun so many ticks later.
    pub(crate) fn later(self, by: u64) -> Self {
        Self { started: self.started.wrapping_add(by), ..self }
    }

    /// For a call that began on this thread and ends on it: its beginning less what this thread had waited by then. The end
    /// less what it has waited then is as much later as the call took without its waits.
    pub(crate) fn minus_waited(self) -> Self {
        self.later(self.waited().wrapping_neg())
    }

    /// Undoes [`minus_waited`](Self::minus_waited), and subtracts what this thread has waited since.
    #[inline]
    pub(crate) fn plus_waited(self) -> Self {
        self.later(self.waited())
    }

    /// What this thread has waited.
    #[inline]
    fn waited(self) -> u64 {
        // A share has it nearer at hand: eight instructions less of each call that fails.
        if self.share.is_token() { waited_without_share() } else { self.share.waited() }
    }
}

#[cold]
#[inline(never)]
fn waited_without_share() -> u64 {
    waiting::total()
}
