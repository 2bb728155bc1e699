//! The interface of the guards of calls and runs.

use crate::Outcome;
use crate::storage::waiting::Waits;

/// A call or run in progress, which is ended with an outcome.
pub trait Guard {
    /// The information about a returned value that it needs.
    type Verdict;

    /// Ends it with the verdict on the returned value.
    fn finish(self, verdict: Self::Verdict);

    /// Like [`finish`](Self::finish), but on the thread on which it began, which may be cheaper.
    fn finish_here(self, verdict: Self::Verdict)
    where
        Self: Sized,
    {
        self.finish(verdict);
    }

    /// Ends it without a value: by a panic, or because it is no longer polled.
    fn abandon(self, outcome: Outcome);

    /// Like [`abandon`](Self::abandon), but on the thread on which it began.
    fn abandon_here(self, outcome: Outcome)
    where
        Self: Sized,
    {
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
