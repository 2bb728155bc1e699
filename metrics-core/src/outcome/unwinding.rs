//! Detects whether a guard is dropped by a panic of the guarded code.

use super::{Outcome, timeout};

/// Whether the thread was already unwinding when a guard was created.
///
/// A guard may be created in a `Drop` that runs while an unrelated panic unwinds: then `panicking()` is independent
/// of the guarded code.
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

    /// The outcome of a guard that is dropped without one.
    pub(crate) fn outcome(self) -> Outcome {
        if self.has_begun() { Outcome::Panic } else { timeout::outcome_of_dropped() }
    }
}
