//! What guards of calls and runs have in common.

use crate::Outcome;
use crate::storage::waiting::Waits;

/// Something under way that is told how it ended.
pub trait Guard {
    /// What it wants to know of a value that was returned.
    type Verdict;

    /// Ends it with a value that was returned.
    fn finish(self, verdict: Self::Verdict);

    /// The same on the thread that it began on, which may be cheaper.
    fn finish_here(self, verdict: Self::Verdict)
    where
        Self: Sized,
    {
        self.finish(verdict);
    }

    /// Ends it without a value: by a panic, or because nobody polls any more.
    fn abandon(self, outcome: Outcome);

    /// The same on the thread that it began on.
    fn abandon_here(self, outcome: Outcome)
    where
        Self: Sized,
    {
        self.abandon(outcome);
    }

    /// Where [local waits](crate::local_wait) of its future are counted; `()` where they are not subtracted.
    type Waits: Waits;

    /// It guards a future, which may go from thread to thread. Returns the tick at which it began.
    fn begin_future(&mut self) -> u64 {
        0
    }

    /// Subtracts what its future waited, in ticks.
    fn subtract(&mut self, _waited: u64) {}
}
