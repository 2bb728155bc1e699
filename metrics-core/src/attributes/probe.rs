//! Determines the outcome of a returned value by the value's type.
//!
//! An attribute expands to `Probe(&value).__bot_metrics_outcome()`. The compiler looks the method up in this order:
//! the probe's own methods; those of traits that take the probe itself; of traits that take a reference to it; of
//! traits that take a mutable one. So a `Result` of an `Outcome` whose error has a class comes first; then a future,
//! which is rejected, a `Result` whose error has a class, a `Result` of an `Outcome`, and an `Outcome`; then any
//! `Result`; then anything. The reverse order would compile too, and count every `Err` as ok.
//!
//! The usual technique, one more reference for each step, makes the compiler try each trait with each number of
//! references, which took it twice as long. Only one implementation may be the probe's own: two would both match a
//! type that the compiler could not infer, which is a second error.

use std::future::Future;

use crate::{ClassifyError, Outcome};

/// A returned value whose outcome is to be determined.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// Implemented by no type; its absence produces the error.
#[diagnostic::on_unimplemented(
    message = "this function returns a future that the attribute cannot measure",
    label = "a future behind another type",
    note = "its call is over before the future runs: write `async fn`, or return `impl Future<Output = …>`, \
            `Pin<Box<dyn Future<Output = …>>>` or `BoxFuture<'_, …>` by these names",
    note = "to measure the call without the future, say `classify = path` of a function that takes what it returns; \
            to leave a method of an annotated `impl` block out, write the attribute with `(skip)` over it"
)]
pub trait Measurable {}

/// A future, which would be timed before it runs.
pub trait Unstarted {
    /// The type that is rejected. A type that the compiler could not infer is taken for a future, and is rejected
    /// without a second message; a probe of it would not be.
    type Unstarted;

    /// Rejected at compile time.
    fn __bot_metrics_outcome(self) -> Outcome
    where
        Self::Unstarted: Measurable;
}

impl<F: Future> Unstarted for Probe<'_, F> {
    type Unstarted = F;

    fn __bot_metrics_outcome(self) -> Outcome
    where
        F: Measurable,
    {
        Outcome::Ok
    }
}

/// A value that is the outcome of the call, or an error that has a class.
impl<E: ClassifyError> Probe<'_, Result<Outcome, E>> {
    /// The outcome of the call.
    #[must_use]
    pub fn __bot_metrics_outcome(self) -> Outcome {
        self.0.as_ref().map_or_else(|error| error.class().into(), |outcome| *outcome)
    }
}

/// Like the probe's own method, for an error without a class.
pub trait Said {
    /// The outcome of the call.
    fn __bot_metrics_outcome(self) -> Outcome;
}

impl<E> Said for Probe<'_, Result<Outcome, E>> {
    fn __bot_metrics_outcome(self) -> Outcome {
        *self.0.as_ref().unwrap_or(&Outcome::Error)
    }
}

/// A value, or an error that has a class.
pub trait Classified {
    /// The outcome of the call.
    fn __bot_metrics_outcome(self) -> Outcome;
}

impl<T, E: ClassifyError> Classified for Probe<'_, Result<T, E>> {
    fn __bot_metrics_outcome(self) -> Outcome {
        self.0.as_ref().map_or_else(|error| error.class().into(), |_| Outcome::Ok)
    }
}

impl Classified for Probe<'_, Outcome> {
    fn __bot_metrics_outcome(self) -> Outcome {
        *self.0
    }
}

/// A success or an error without a class.
pub trait Fallible {
    /// The outcome of the call.
    fn __bot_metrics_outcome(self) -> Outcome;
}

impl<T, E> Fallible for &Probe<'_, Result<T, E>> {
    fn __bot_metrics_outcome(self) -> Outcome {
        if self.0.is_ok() { Outcome::Ok } else { Outcome::Error }
    }
}

/// A value that is independent of the call's outcome.
pub trait Infallible {
    /// The outcome of the call: success, since it returned.
    fn __bot_metrics_outcome(self) -> Outcome;
}

impl<T: ?Sized> Infallible for &mut Probe<'_, T> {
    fn __bot_metrics_outcome(self) -> Outcome {
        Outcome::Ok
    }
}

/// The requirement for an error whose class an attribute needs.
#[diagnostic::on_unimplemented(
    message = "`on` names a class, and the errors of this function have none: each would count as `other`",
    label = "the error `{Self}` has no class",
    note = "implement `ClassifyError` for it, or say `classify = path` of a function that tells; `err` is every error"
)]
pub trait Classifying {}

impl<E: ClassifyError> Classifying for E {}

/// A value whose errors have a class, if it is an error at all: probed in addition to its outcome, in the same way.
pub trait Classes {
    /// Does nothing; only that it can be called matters.
    fn __bot_metrics_classes(&self) {}
}

impl<E> Classes for &&Probe<'_, Result<Outcome, E>> {}

/// Any other `Result`.
pub trait ErrorClasses {
    /// The type that is rejected if it has no class.
    type Error;

    /// Rejected at compile time if it would never have a class.
    fn __bot_metrics_classes(&self)
    where
        Self::Error: Classifying,
    {
    }
}

impl<T, E> ErrorClasses for &Probe<'_, Result<T, E>> {
    type Error = E;
}

/// A value that is not an error.
pub trait NoErrors {
    /// Does nothing.
    fn __bot_metrics_classes(&self) {}
}

impl<T: ?Sized> NoErrors for Probe<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorClass;

    struct Refused;

    impl ClassifyError for Refused {
        fn class(&self) -> ErrorClass {
            ErrorClass::Rejected
        }
    }

    type Aliased = Result<u8, Refused>;

    macro_rules! outcome {
        ($value:expr) => {
            Probe(&$value).__bot_metrics_outcome()
        };
    }

    #[test]
    fn the_class_of_a_results_error_is_used() {
        let refused: Aliased = Err(Refused);
        assert_eq!(outcome!(refused), Outcome::Rejected);
        assert_eq!(outcome!(Err::<(), &Refused>(&Refused)), Outcome::Rejected);
        assert_eq!(outcome!(Err::<(), Box<Refused>>(Box::new(Refused))), Outcome::Rejected);
        assert_eq!(outcome!(Ok::<u8, Refused>(1)), Outcome::Ok);
    }

    #[test]
    fn an_error_without_a_class_has_the_outcome_error() {
        assert_eq!(outcome!(Err::<(), &str>("no")), Outcome::Error);
        assert_eq!(outcome!(Ok::<(), &str>(())), Outcome::Ok);
    }

    #[test]
    fn a_returned_outcome_is_used_and_any_other_value_is_ok() {
        assert_eq!(outcome!(Outcome::Skipped), Outcome::Skipped);
        assert_eq!(outcome!(Ok::<_, Refused>(Outcome::Skipped)), Outcome::Skipped);
        assert_eq!(outcome!(Err::<Outcome, _>(Refused)), Outcome::Rejected);
        assert_eq!(outcome!(Ok::<_, &str>(Outcome::Skipped)), Outcome::Skipped);
        assert_eq!(outcome!(Err::<Outcome, _>("no")), Outcome::Error);
        assert_eq!(outcome!(()), Outcome::Ok);
        assert_eq!(outcome!(None::<u8>), Outcome::Ok);
        assert_eq!(outcome!(*"text"), Outcome::Ok);
    }
}
