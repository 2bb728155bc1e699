//! Calls in progress.

use super::ENABLED;
use super::recorder::{CallSeries, CallSeriesLease, CallShard, Ending, NOWHERE};
use super::spare::lose;
use super::thread;
use crate::clock::{self, Clock};
use crate::storage::waiting;

/// A call in progress. If `DATED`, its series exports for how long calls have been in progress; otherwise it can
/// subtract local waits instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallInProgress<const DATED: bool> {
    share: &'static CallShard,
    /// The tick at which it began.
    pub(crate) started: u64,
}

/// A flag in the tick at which a call began; no machine runs long enough to reach it.
const MARK: u64 = 1 << 63;

/// A run of a subsystem.
pub(crate) type RunInProgress = CallInProgress<true>;

/// A call of an exchange.
pub(crate) type Call = CallInProgress<false>;

impl<const DATED: bool> CallInProgress<DATED> {
    /// Begins a call with the time stamp counter, if this thread has a shard of the near call series of this number.
    /// Only then may the call be ended with the counter. An undated one begins [minus the waits of this
    /// thread](Call::minus_waited).
    #[inline]
    pub(super) fn start_quickly(near: impl FnOnce() -> usize) -> Option<Self> {
        let share = thread::near(near)?;
        // Read last, so that finding the shard is not counted as call time.
        let now = clock::time_stamp();
        if DATED {
            share.start(now);
            Some(Self { share, started: now })
        } else {
            share.start_undated();
            Some(Self { share, started: now.wrapping_sub(share.waited.get()) })
        }
    }

    /// A call that is not recorded. It does not read the clock, because the first reading allocates and might be what
    /// caused this call.
    pub(super) fn nowhere() -> Self {
        lose();
        Self::unrecorded()
    }

    fn unrecorded() -> Self {
        Self { share: NOWHERE.token(), started: 0 }
    }

    /// Begins a call with the given clock.
    pub(super) fn start(recorder: &'static CallSeries, clock: &Clock) -> Self {
        if !ENABLED {
            return Self::unrecorded();
        }
        let share = thread::share(recorder.id()).unwrap_or_else(|| thread::join(recorder));
        let started = clock.ticks();
        recorder.start(share, DATED.then_some(started));
        Self { share, started }
    }

    /// Replaces the shard with the fallback, so that the call cannot end quickly.
    pub(super) fn with_token(self) -> Self {
        Self { share: self.share.home.token(), ..self }
    }

    /// Sets the flag in the tick at which the call began.
    pub(crate) fn marked(self) -> Self {
        Self { started: self.started | MARK, ..self }
    }

    pub(crate) fn is_marked(self) -> bool {
        self.started & MARK != 0
    }

    /// Replaces the shard with this thread's, so that the call can end here regardless of where it began.
    #[inline]
    pub(crate) fn here(self) -> Self {
        let home = self.share.home;
        let share = thread::share(home.id()).unwrap_or_else(|| thread::join(home));
        Self { share, ..self }
    }

    /// Ends it successfully at `now`, on the thread on which it began, unless it took too long for that; returns
    /// whether it did.
    #[inline]
    pub(crate) fn end_quickly(self, now: u64) -> bool {
        // A clock that went back makes this larger than any limit.
        let took = now.wrapping_sub(self.started);
        let quick = self.share.is_quick(took);
        if quick && DATED {
            self.share.end_quickly(self.started, took, now);
        } else if quick {
            self.share.end_undated_quickly(took);
        }
        quick
    }

    /// Ends a call of a call site with the time stamp counter; if undated, one that began minus the waits of this
    /// thread.
    #[inline]
    pub(crate) fn end_quickly_by_time_stamp(self) -> bool {
        let now = clock::time_stamp();
        self.end_quickly(if DATED { now } else { now.wrapping_sub(self.share.waited.get()) })
    }

    /// Ends a call of a call site on any thread. The fallback has no near number.
    #[inline]
    pub(crate) fn end_quickly_anywhere_by_time_stamp(self) -> bool {
        thread::near(|| self.share.near.into())
            .is_some_and(|share| Self { share, ..self }.end_quickly(clock::time_stamp()))
    }

    /// Ends it at `now`, on the thread on which it began or where [`here`](Self::here) was called.
    #[expect(clippy::inline_always, reason = "a function call costs each failing call 20 instructions")]
    #[inline(always)]
    pub(crate) fn end(self, ending: Ending, now: u64) {
        let began = if DATED { self.started & !MARK } else { self.started };
        self.share.home.end(self.share, ending, DATED.then_some(began), now.saturating_sub(began), now);
    }

    /// Ends a call of a call site on any thread.
    #[inline(never)]
    pub(crate) fn end_site(self, ending: Ending) {
        let now = clock::time_stamp();
        match thread::near(|| self.share.near.into()) {
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
        // A call that began with the counter ends with it, even if the counter has been given up in the meantime.
        let now = if self.share.is_token { clock::now() } else { clock::time_stamp() };
        self.here().end(ending, now);
    }
}

impl CallSeriesLease {
    /// Begins a call.
    pub(crate) fn start<const DATED: bool>(&self, clock: &Clock) -> CallInProgress<DATED> {
        CallInProgress::start(self.0, clock)
    }
}

impl Call {
    /// This call as if it had begun this many ticks later.
    pub(crate) fn later(self, by: u64) -> Self {
        Self { started: self.started.wrapping_add(by), ..self }
    }

    /// For a call that begins and ends on this thread: its beginning minus the thread's total waiting time so far. If
    /// the end subtracts the total at that moment, the difference is the duration without the waits in between.
    pub(crate) fn minus_waited(self) -> Self {
        self.later(self.waited().wrapping_neg())
    }

    /// Undoes [`minus_waited`](Self::minus_waited), which subtracts the thread's waits since.
    #[inline]
    pub(crate) fn plus_waited(self) -> Self {
        self.later(self.waited())
    }

    /// The total waiting time of this thread.
    #[inline]
    fn waited(self) -> u64 {
        // The copy in the shard is cheaper: it saves each failing call eight instructions.
        if self.share.is_token { waited_without_share() } else { self.share.waited.get() }
    }
}

#[cold]
#[inline(never)]
fn waited_without_share() -> u64 {
    waiting::total()
}
