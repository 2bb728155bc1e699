//! Calls in progress.

use super::ENABLED;
use super::recorder::{CallSeries, CallSeriesLease, CallShard, Ending, NOWHERE};
use super::spare::lose;
use super::thread;
use crate::clock::{self, Clock};
use crate::storage::waiting;

/// A call in progress.
///
/// If `DATED`, the shard includes the starts of the calls in progress, so that their age can be exported. Only an
/// undated call can exclude the [local waits](waiting) of its thread: its start is then reduced by the thread's total
/// waiting time at that moment, and so is its end.
///
/// | end | its thread | start of an undated call | records |
/// | --- | --- | --- | --- |
/// | `end_quickly_by_time_stamp` | the one on which it began | reduced | a success |
/// | `end_quickly_anywhere_by_time_stamp` | any | not reduced | a success |
/// | `end_site` | any | not reduced | any end |
/// | `end_quickly`, `end` | the owner of its shard, see `on_this_thread` | as `now` | a success; any end |
///
/// The first three are for calls of call sites, which use the time stamp counter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallInProgress<const DATED: bool> {
    shard: &'static CallShard,
    /// The tick at which it began. May contain [`FLAG`], or be reduced by [`minus_waited`](Call::minus_waited).
    pub(crate) started: u64,
}

/// A flag in the start of a dated call, for its caller's use. No machine runs long enough to reach this tick.
const FLAG: u64 = 1 << 63;

/// A run of a subsystem.
pub(crate) type RunInProgress = CallInProgress<true>;

/// A call of an exchange.
pub(crate) type Call = CallInProgress<false>;

impl<const DATED: bool> CallInProgress<DATED> {
    /// Begins a call with the time stamp counter, if this thread has a shard of the call series of this near number.
    /// The start of an undated call is [reduced](Call::minus_waited), unlike by [`start`](Self::start).
    #[inline]
    pub(super) fn start_quickly(near: impl FnOnce() -> usize) -> Option<Self> {
        let shard = thread::near(near)?;
        // Read last, so that finding the shard is not counted as call time.
        let now = clock::time_stamp();
        if DATED {
            shard.start(now);
            Some(Self { shard, started: now })
        } else {
            shard.start_undated();
            Some(Self { shard, started: now.wrapping_sub(shard.waited.get()) })
        }
    }

    /// Counts a recording as lost, and returns a call that is not recorded. Does not read the clock: this may be an
    /// allocator that records an allocation made by the clock's first reading.
    pub(super) fn lost() -> Self {
        lose();
        Self::unrecorded()
    }

    fn unrecorded() -> Self {
        Self { shard: NOWHERE.fallback(), started: 0 }
    }

    /// Begins a call with the given clock. Its start is not reduced by waits.
    pub(super) fn start(series: &'static CallSeries, clock: &Clock) -> Self {
        if !ENABLED {
            return Self::unrecorded();
        }
        let shard = thread::shard(series.id()).unwrap_or_else(|| thread::create_shard(series));
        let started = clock.ticks();
        series.start(shard, DATED.then_some(started));
        Self { shard, started }
    }

    /// Replaces the shard with the fallback, so that the call cannot end quickly.
    pub(super) fn on_fallback(self) -> Self {
        Self { shard: self.shard.home.fallback(), ..self }
    }

    /// Replaces the shard with this thread's, so that the call can end on this thread regardless of where it began.
    #[inline]
    pub(crate) fn on_this_thread(self) -> Self {
        let home = self.shard.home;
        let shard = thread::shard(home.id()).unwrap_or_else(|| thread::create_shard(home));
        Self { shard, ..self }
    }

    /// Ends the call as a success at `now`, on the thread that owns its shard, if it took no longer than the first bound
    /// and its shard is not the fallback. Returns whether it was ended.
    #[inline]
    pub(crate) fn end_quickly(self, now: u64) -> bool {
        // A clock that went back makes this larger than any limit.
        let took = now.wrapping_sub(self.started);
        let quick = self.shard.is_quick(took);
        if quick && DATED {
            self.shard.end_quickly(self.started, took, now);
        } else if quick {
            self.shard.end_undated_quickly(took);
        }
        if quick {
            self.shard.home.offer_exemplar(took);
        }
        quick
    }

    /// Like [`end_quickly`](Self::end_quickly) by the time stamp counter, on the thread on which the call began. If
    /// undated, its start must be [reduced](Call::minus_waited).
    #[inline]
    pub(crate) fn end_quickly_by_time_stamp(self) -> bool {
        let now = clock::time_stamp();
        self.end_quickly(if DATED { now } else { now.wrapping_sub(self.shard.waited.get()) })
    }

    /// Like [`end_quickly`](Self::end_quickly) by the time stamp counter, on any thread. If undated, its start must not be
    /// [reduced](Call::minus_waited). Returns `false` if its shard is the fallback, whose near number is 0.
    #[inline]
    pub(crate) fn end_quickly_anywhere_by_time_stamp(self) -> bool {
        thread::near(|| self.shard.near.into())
            .is_some_and(|shard| Self { shard, ..self }.end_quickly(clock::time_stamp()))
    }

    /// Ends the call at `now`, on the thread that owns its shard. If undated, the start must be reduced if `now` is.
    #[expect(clippy::inline_always, reason = "a function call costs each failing call 20 instructions")]
    #[inline(always)]
    pub(crate) fn end(self, ending: Ending, now: u64) {
        let began = if DATED { self.started & !FLAG } else { self.started };
        let took = now.saturating_sub(began);
        self.shard.home.end(self.shard, ending, DATED.then_some(began), took, now);
        if ending.observed {
            self.shard.home.offer_exemplar(took);
        }
    }

    /// Ends a call of a call site on any thread. If undated, its start must not be [reduced](Call::minus_waited).
    #[inline(never)]
    pub(crate) fn end_site(self, ending: Ending) {
        let now = clock::time_stamp();
        match thread::near(|| self.shard.near.into()) {
            Some(shard) => Self { shard, ..self }.end(ending, now),
            None => self.end_site_slowly(ending),
        }
    }

    #[cold]
    #[inline(never)]
    fn end_site_slowly(self, ending: Ending) {
        if self.shard.home.is_nowhere() {
            return;
        }
        // A call that began with the counter ends with it, even if the counter has been given up in the meantime.
        let now = if self.shard.is_fallback { clock::now() } else { clock::time_stamp() };
        self.on_this_thread().end(ending, now);
    }
}

impl RunInProgress {
    pub(crate) fn flagged(self) -> Self {
        Self { started: self.started | FLAG, ..self }
    }

    pub(crate) fn is_flagged(self) -> bool {
        self.started & FLAG != 0
    }
}

impl CallSeriesLease {
    /// Begins a call.
    pub(crate) fn start<const DATED: bool>(&self, clock: &Clock) -> CallInProgress<DATED> {
        CallInProgress::start(self.0, clock)
    }
}

impl Call {
    /// The call as if it had begun this many ticks later.
    pub(crate) fn with_later_start(self, by: u64) -> Self {
        Self { started: self.started.wrapping_add(by), ..self }
    }

    /// The call with its start reduced by the total waiting time of this thread, on which it must end. If the end is
    /// reduced by the total at that moment, the difference is the duration without the waits in between.
    pub(crate) fn minus_waited(self) -> Self {
        self.with_later_start(self.waited().wrapping_neg())
    }

    /// Makes a [reduced](Self::minus_waited) start later by the waits since then, so that an end that is not reduced
    /// gives the duration without them. Must be called on the thread of `minus_waited`.
    #[inline]
    pub(crate) fn plus_waited(self) -> Self {
        self.with_later_start(self.waited())
    }

    /// The total waiting time of this thread.
    #[inline]
    fn waited(self) -> u64 {
        // The copy in the shard takes eight instructions less than the thread-local.
        if self.shard.is_fallback { waited_without_shard() } else { self.shard.waited.get() }
    }
}

#[cold]
#[inline(never)]
fn waited_without_shard() -> u64 {
    waiting::total()
}
