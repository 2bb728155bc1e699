//! How an outcome is told from a returned value, by the value's type alone.
//!
//! An attribute expands to `Probe(&value).__bot_metrics_outcome()`. Which method that is the compiler finds by trying in
//! this order: the probe's own; those of traits that take the probe itself; of traits that take a reference to it; of
//! traits that take a mutable one. So a `Result` of an `Outcome` whose error has a class comes first; then a future, which
//! is refused, a `Result` whose error has a class, a `Result` of an `Outcome`, and an `Outcome`; then any `Result`; then
//! anything. The other way round everything would compile too, and every `Err` would count as ok.
//!
//! With one reference more for each step instead, as is usual, the compiler tries each trait with each number of
//! references: that took it twice as long. Only one implementation may be the probe's own: two would both fit a type that
//! the compiler could not make out, a second error.

use std::future::Future;

use crate::{ClassifyError, Outcome};

/// A returned value whose outcome is asked for.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// What no type is.
#[diagnostic::on_unimplemented(
    message = "this function returns a future that the attribute cannot measure",
    label = "a future behind another type",
    note = "its call is over before the future runs: write `async fn`, or return `impl Future<Output = …>`, \
            `Pin<Box<dyn Future<Output = …>>>` or `BoxFuture<'_, …>` by these names",
    note = "to measure the call without the future, say `classify = path` of a function that takes what it returns; \
            to leave a method of an annotated `impl` block out, write the attribute with `(skip)` over it"
)]
pub trait Measurable {}

/// A future: it would be timed before it runs.
pub trait Unstarted {
    /// What is refused. A type that the compiler could not make out passes for a future, and is refused by itself
    /// without a second message; a probe of it is not.
    type Unstarted;

    /// Refused while compiling.
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

/// A value that says how the call ended, or an error that has a class.
impl<E: ClassifyError> Probe<'_, Result<Outcome, E>> {
    /// How the call ended.
    #[must_use]
    pub fn __bot_metrics_outcome(self) -> Outcome {
        self.0.as_ref().map_or_else(|error| error.class().into(), |outcome| *outcome)
    }
}

/// The same with an error that has none.
pub trait Said {
    /// How the call ended.
    fn __bot_metrics_outcome(self) -> Outcome;
}

impl<E> Said for Probe<'_, Result<Outcome, E>> {
    fn __bot_metrics_outcome(self) -> Outcome {
        *self.0.as_ref().unwrap_or(&Outcome::Error)
    }
}

/// A value, or an error that has a class.
pub trait Classified {
    /// How the call ended.
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

/// A value that is good or bad.
pub trait Fallible {
    /// How the call ended.
    fn __bot_metrics_outcome(self) -> Outcome;
}

impl<T, E> Fallible for &Probe<'_, Result<T, E>> {
    fn __bot_metrics_outcome(self) -> Outcome {
        if self.0.is_ok() { Outcome::Ok } else { Outcome::Error }
    }
}

/// A value that says nothing of how the call ended.
pub trait Infallible {
    /// How the call ended: well, since it returned.
    fn __bot_metrics_outcome(self) -> Outcome;
}

impl<T: ?Sized> Infallible for &mut Probe<'_, T> {
    fn __bot_metrics_outcome(self) -> Outcome {
        Outcome::Ok
    }
}

/// What an error is that an attribute asks for its class.
#[diagnostic::on_unimplemented(
    message = "`on` names a class, and the errors of this function have none: each would count as `other`",
    label = "the error `{Self}` has no class",
    note = "implement `ClassifyError` for it, or say `classify = path` of a function that tells; `err` is every error"
)]
pub trait Classifying {}

impl<E: ClassifyError> Classifying for E {}

/// A value that tells a class where it is an error, or is none: asked beside its outcome, found in the same way.
pub trait Classes {
    /// Nothing: that it can be called is all.
    fn __bot_metrics_classes(&self) {}
}

impl<E> Classes for &&Probe<'_, Result<Outcome, E>> {}

/// The same for any other `Result`.
pub trait ErrorClasses {
    /// What is refused where it has no class.
    type Error;

    /// Refused while compiling where it would never tell one.
    fn __bot_metrics_classes(&self)
    where
        Self::Error: Classifying,
    {
    }
}

impl<T, E> ErrorClasses for &Probe<'_, Result<T, E>> {
    type Error = E;
}

/// A value that is no error.
pub trait NoErrors {
    /// Nothing.
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
    fn a_results_error_tells_its_class() {
        let refused: Aliased = Err(Refused);
        assert_eq!(outcome!(refused), Outcome::Rejected);
        assert_eq!(outcome!(Err::<(), &Refused>(&Refused)), Outcome::Rejected);
        assert_eq!(outcome!(Err::<(), Box<Refused>>(Box::new(Refused))), Outcome::Rejected);
        assert_eq!(outcome!(Ok::<u8, Refused>(1)), Outcome::Ok);
    }

    #[test]
    fn an_error_without_a_class_is_an_error() {
        assert_eq!(outcome!(Err::<(), &str>("no")), Outcome::Error);
        assert_eq!(outcome!(Ok::<(), &str>(())), Outcome::Ok);
    }

    #[test]
    fn an_outcome_is_itself_and_any_other_value_is_good() {
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
