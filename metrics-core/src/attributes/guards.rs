//! The guards of calls and runs, and those of a future: of one attribute or of several on the function.

use super::body::Pending;
use crate::Outcome;
use crate::outcome::ends::CallEnd;
use crate::outcome::timeout;
use crate::storage::waiting::Waits;

/// A call or run in progress, which is ended with an outcome.
pub trait Guard: Sized {
    /// The information about a returned value that it needs.
    type Verdict;

    /// Ends it with the verdict on the returned value.
    fn finish(self, verdict: Self::Verdict);

    /// Like [`finish`](Self::finish), but on the thread on which it began, which may be cheaper.
    fn finish_here(self, verdict: Self::Verdict) {
        self.finish(verdict);
    }

    /// Ends it without a value: by a panic, or because it is no longer polled.
    fn abandon(self, outcome: Outcome);

    /// Like [`abandon`](Self::abandon), but on the thread on which it began.
    fn abandon_here(self, outcome: Outcome) {
        self.abandon(outcome);
    }

    /// The scope in which [local waits](crate::local_wait) of its future are counted; `()` if they are not
    /// subtracted.
    type Waits: Waits;

    /// Makes it guard a future, which may move between threads. Returns the tick at which it began.
    fn begin_future(&mut self) -> u64 {
        0
    }

    /// Subtracts the waits of its future, in ticks.
    fn subtract(&mut self, _waited: u64) {}
}

/// A guard that needs to know only how the call ended.
pub trait EndGuard {
    /// Ends it.
    fn end(self, end: CallEnd);
}

impl<G: EndGuard> Guard for G {
    type Verdict = Outcome;
    type Waits = ();

    #[inline]
    fn finish(self, outcome: Outcome) {
        self.end(CallEnd::returned(outcome));
    }

    #[inline]
    fn abandon(self, outcome: Outcome) {
        self.end(CallEnd::abandoned(outcome));
    }
}

/// The guards of a function with one more attribute; `outer` has begun before `inner`.
pub fn stacked<O: Guard, I: Guards>(outer: Pending<O>, inner: I) -> Stacked<O, I> {
    Stacked { inner, outer }
}

/// See [`stacked`].
#[derive(Debug)]
pub struct Stacked<O: Guard, I> {
    /// Dropped and ended first.
    pub inner: I,
    /// Dropped and ended last.
    pub outer: Pending<O>,
}

/// The guards of a future: one, or those of several attributes.
pub trait Guards {
    /// See [`Guard::Waits`]; one for all of them.
    type Waits: Waits;

    /// The guards before they begin.
    fn none() -> Self;

    /// See [`Guard::begin_future`]; returns the tick at which the last of them began.
    fn begin_future(&mut self) -> u64;

    /// See [`Guard::subtract`].
    fn subtract(&mut self, waited: u64);

    /// Ends the guards that have not ended, because their future is dropped: during its own poll if `polling`,
    /// otherwise between two polls.
    fn abandon(&mut self, polling: bool);
}

impl<G: Guard> Guards for Pending<G> {
    type Waits = G::Waits;

    fn none() -> Self {
        Self(None)
    }

    #[inline]
    fn begin_future(&mut self) -> u64 {
        self.0.as_mut().map_or(0, Guard::begin_future)
    }

    fn subtract(&mut self, waited: u64) {
        if let Some(guard) = &mut self.0 {
            guard.subtract(waited);
        }
    }

    fn abandon(&mut self, polling: bool) {
        if let Some(guard) = self.0.take() {
            guard.abandon(if polling { Outcome::Panic } else { timeout::outcome_of_dropped() });
        }
    }
}

impl<O: Guard, I: Guards> Guards for Stacked<O, I> {
    type Waits = <O::Waits as Waits>::Or<I::Waits>;

    fn none() -> Self {
        Self { inner: I::none(), outer: Pending::none() }
    }

    fn begin_future(&mut self) -> u64 {
        self.outer.begin_future().max(self.inner.begin_future())
    }

    fn subtract(&mut self, waited: u64) {
        self.inner.subtract(waited);
        self.outer.subtract(waited);
    }

    fn abandon(&mut self, polling: bool) {
        self.inner.abandon(polling);
        self.outer.abandon(polling);
    }
}

/// Begins a future's guards at its first poll, unless they have begun before.
pub trait StartGuards<P> {
    /// Begins them, once.
    fn start(&mut self) -> Option<P>;
}

impl<P: Guards, S: FnOnce() -> P> StartGuards<P> for Option<S> {
    #[inline]
    fn start(&mut self) -> Option<P> {
        self.take().map(|start| start())
    }
}

/// The guards have already begun.
impl<P> StartGuards<P> for () {
    #[inline]
    fn start(&mut self) -> Option<P> {
        None
    }
}
