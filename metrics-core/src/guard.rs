//! What guards of calls and runs have in common.

use crate::Outcome;

/// Something under way that ends with an outcome.
pub trait Guard {
    /// Ends it.
    fn finish(self, outcome: Outcome);
}

/// Whether the thread was unwinding already when a guard was made.
///
/// A guard may be made in a `Drop` that runs while somebody else's panic unwinds: then `panicking()` says nothing
/// about the guarded code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unwinding(bool);

impl Unwinding {
    pub(crate) fn at_entry() -> Self {
        Self(std::thread::panicking())
    }

    /// The outcome of a guard that is dropped without having been told one.
    pub(crate) fn outcome(self) -> Outcome {
        if !self.0 && std::thread::panicking() { Outcome::Panic } else { Outcome::Cancelled }
    }
}
