//! What guards of calls and runs have in common.

use crate::Outcome;
use crate::outcome::timeout;
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

/// Whether the thread was unwinding already when a guard was made.
///
/// A guard may be made in a `Drop` that runs while somebody else's panic unwinds: then `panicking()` says nothing
/// about the guarded code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unwinding(bool);

impl Unwinding {
    #[inline]
    pub(crate) fn at_entry() -> Self {
        Self(std::thread::panicking())
    }

    /// Whether a panic began since.
    #[inline]
    pub(crate) fn has_begun(self) -> bool {
        !self.0 && std::thread::panicking()
    }

    /// The outcome of a guard that is dropped without having been told one.
    pub(crate) fn outcome(self) -> Outcome {
        if self.has_begun() { Outcome::Panic } else { timeout::dropped() }
    }
}
