//! Whether a guard is dropped by a panic of the code that it guards.

use super::{Outcome, timeout};

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
