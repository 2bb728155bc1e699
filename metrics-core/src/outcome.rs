//! How a call ended, and how that is told from what it returned.

use crate::LabelValue;

/// How a call or a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
pub enum Outcome {
    /// It succeeded.
    Ok,
    /// The exchange understood the request and refused it.
    Rejected,
    /// The exchange refused the request for its rate (HTTP 429).
    RateLimited,
    /// The exchange shut the caller out (HTTP 418 or the like).
    Banned,
    /// The credentials were refused.
    Auth,
    /// The exchange failed (HTTP 5XX). For a placed order this means *unknown*, not failed.
    ServerError,
    /// No answer came in time.
    Timeout,
    /// The connection could not be made or broke.
    Transport,
    /// The answer could not be read.
    Decode,
    /// The future was dropped before it was ready, or a guard before it was told an outcome.
    Cancelled,
    /// It panicked.
    Panic,
    /// It returned an error that says no more of itself.
    Error,
    /// It decided on purpose to do nothing; of subsystems only: not observed, and as fresh as a success.
    Skipped,
}

impl Outcome {
    /// Whether a subsystem that ends so is fresh.
    pub(crate) fn is_fresh(self) -> bool {
        matches!(self, Self::Ok | Self::Skipped)
    }
}

/// What kind of error an `Err` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// See [`Outcome::Rejected`].
    Rejected,
    /// See [`Outcome::RateLimited`].
    RateLimited,
    /// See [`Outcome::Banned`].
    Banned,
    /// See [`Outcome::Auth`].
    Auth,
    /// See [`Outcome::ServerError`].
    ServerError,
    /// See [`Outcome::Timeout`].
    Timeout,
    /// See [`Outcome::Transport`].
    Transport,
    /// See [`Outcome::Decode`].
    Decode,
    /// None of these.
    Other,
}

impl From<ErrorClass> for Outcome {
    fn from(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Rejected => Self::Rejected,
            ErrorClass::RateLimited => Self::RateLimited,
            ErrorClass::Banned => Self::Banned,
            ErrorClass::Auth => Self::Auth,
            ErrorClass::ServerError => Self::ServerError,
            ErrorClass::Timeout => Self::Timeout,
            ErrorClass::Transport => Self::Transport,
            ErrorClass::Decode => Self::Decode,
            ErrorClass::Other => Self::Error,
        }
    }
}

/// An error that knows what kind of error it is.
///
/// An annotated function that returns `Err(e)` has the outcome `error`, unless the error's type implements this
/// trait: then it has the class's. The type must be the one that stands in the signature; an error behind
/// `Box<dyn Error>` is not seen.
///
/// ```
/// use bot_metrics::{ClassifyError, ErrorClass};
///
/// enum ApiError {
///     Refused { code: i64 },
///     TooMany,
///     Io(std::io::Error),
/// }
///
/// impl ClassifyError for ApiError {
///     fn class(&self) -> ErrorClass {
///         match self {
///             Self::Refused { .. } => ErrorClass::Rejected,
///             Self::TooMany => ErrorClass::RateLimited,
///             Self::Io(_) => ErrorClass::Transport,
///         }
///     }
/// }
/// ```
pub trait ClassifyError {
    /// The kind of this error.
    fn class(&self) -> ErrorClass;
}

impl<E: ClassifyError + ?Sized> ClassifyError for &E {
    fn class(&self) -> ErrorClass {
        (**self).class()
    }
}

impl<E: ClassifyError + ?Sized> ClassifyError for Box<E> {
    fn class(&self) -> ErrorClass {
        (**self).class()
    }
}

/// A returned value whose outcome is asked for: `(&&&Probe(&value)).outcome()`.
///
/// The method is found by the first implementation that fits, with as many references as the call has, then with
/// one fewer: a `Result` whose error has a class, or an `Outcome`; any `Result`; anything.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// A value that says precisely how the call ended.
pub trait Classified {
    /// How the call ended.
    fn outcome(&self) -> Outcome;
}

impl<T, E: ClassifyError> Classified for &&Probe<'_, Result<T, E>> {
    fn outcome(&self) -> Outcome {
        self.0.as_ref().map_or_else(|error| error.class().into(), |_| Outcome::Ok)
    }
}

impl Classified for &&Probe<'_, Outcome> {
    fn outcome(&self) -> Outcome {
        *self.0
    }
}

/// A value that is good or bad.
pub trait Fallible {
    /// How the call ended.
    fn outcome(&self) -> Outcome;
}

impl<T, E> Fallible for &Probe<'_, Result<T, E>> {
    fn outcome(&self) -> Outcome {
        if self.0.is_ok() { Outcome::Ok } else { Outcome::Error }
    }
}

/// A value that says nothing of how the call ended.
pub trait Infallible {
    /// How the call ended: well, since it returned.
    fn outcome(&self) -> Outcome;
}

impl<T: ?Sized> Infallible for Probe<'_, T> {
    fn outcome(&self) -> Outcome {
        Outcome::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Refused;

    impl ClassifyError for Refused {
        fn class(&self) -> ErrorClass {
            ErrorClass::Rejected
        }
    }

    type Aliased = Result<u8, Refused>;

    macro_rules! outcome {
        ($value:expr) => {
            (&&&Probe(&$value)).outcome()
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
        assert_eq!(outcome!(()), Outcome::Ok);
        assert_eq!(outcome!(None::<u8>), Outcome::Ok);
        assert_eq!(outcome!(*"text"), Outcome::Ok);
    }
}
