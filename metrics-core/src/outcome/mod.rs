//! The outcomes of calls, and their determination from returned values.

pub(crate) mod ends;
mod failures;
pub(crate) mod timeout;
pub(crate) mod unwinding;

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use crate::LabelValue;

/// The outcome of a call or a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
pub enum Outcome {
    /// It succeeded.
    Ok,
    /// The exchange understood the request and rejected it.
    Rejected,
    /// The exchange refused the request because of its rate limit (HTTP 429).
    RateLimited,
    /// The exchange banned the caller (HTTP 418 or the like).
    Banned,
    /// The credentials were refused.
    Auth,
    /// The exchange failed (HTTP 5XX). For a placed order this means *unknown*, not failed.
    ServerError,
    /// No answer came in time.
    Timeout,
    /// The connection could not be made, broke before the answer was complete, or did not carry HTTP.
    Transport,
    /// The answer is complete, but its content could not be read.
    Decode,
    /// The future was dropped before it was ready, or a guard before it was given an outcome.
    Cancelled,
    /// It panicked.
    Panic,
    /// It returned an error without a class.
    Error,
    /// It deliberately did nothing. For subsystems only: not observed, but a sign of life like a success.
    Skipped,
}

impl Outcome {
    /// Whether a run of a subsystem with this outcome counts as a sign of life.
    pub(crate) fn is_fresh(self) -> bool {
        matches!(self, Self::Ok | Self::Skipped)
    }

    /// Whether an exchange call failed whose outcome has this index. A healthy market maker has rejected orders, and
    /// a cancelled call was dropped by the bot.
    #[cfg(feature = "page")]
    pub(crate) fn is_failed_call(index: usize) -> bool {
        [Self::Ok, Self::Rejected, Self::Cancelled, Self::Skipped]
            .iter()
            .all(|outcome| outcome.index() != index)
    }
}

#[cfg(any(feature = "operations", feature = "page"))]
impl Outcome {
    /// Every outcome.
    const ALL: [Self; Self::VALUES.len()] = [
        Self::Ok,
        Self::Rejected,
        Self::RateLimited,
        Self::Banned,
        Self::Auth,
        Self::ServerError,
        Self::Timeout,
        Self::Transport,
        Self::Decode,
        Self::Cancelled,
        Self::Panic,
        Self::Error,
        Self::Skipped,
    ];

    /// The texts of the outcomes after which an order may be open whose placement ended so.
    pub(crate) fn unknown_placements() -> Vec<&'static str> {
        Self::texts(|outcome| outcome.consequences().0)
    }

    /// The texts of the outcomes that are the exchange's or the network's fault. A reject is none.
    #[cfg(feature = "operations")]
    pub(crate) fn failures_of_the_exchange() -> Vec<&'static str> {
        Self::texts(|outcome| outcome.consequences().1)
    }

    /// Whether an order may be open after its placement had this outcome, and whether the outcome is the fault of the
    /// exchange or the network. The alerts depend on both.
    const fn consequences(self) -> (bool, bool) {
        match self {
            Self::Timeout | Self::Transport | Self::ServerError => (true, true),
            Self::Decode | Self::Cancelled | Self::Panic => (true, false),
            Self::Ok
            | Self::Rejected
            | Self::RateLimited
            | Self::Banned
            | Self::Auth
            | Self::Error
            | Self::Skipped => (false, false),
        }
    }

    fn texts(has: fn(Self) -> bool) -> Vec<&'static str> {
        Self::ALL.into_iter().filter(|outcome| has(*outcome)).map(Self::as_str).collect()
    }
}

/// The class of an error.
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

impl ErrorClass {
    /// The class of an HTTP answer with this status, as exchanges use it: 418 is Binance's ban.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Auth,
            408 => Self::Timeout,
            418 => Self::Banned,
            429 => Self::RateLimited,
            400..=499 => Self::Rejected,
            500..=599 => Self::ServerError,
            _ => Self::Other,
        }
    }
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

/// The outcome of a returned value according to `classify`.
pub fn outcome(said: impl Classification) -> Outcome {
    said.into()
}

/// The return types of a `classify` function.
#[diagnostic::on_unimplemented(
    message = "a function under `classify` returns `Outcome` or `ErrorClass`, not `{Self}`",
    label = "returns `{Self}`"
)]
pub trait Classification: Into<Outcome> {}

impl Classification for Outcome {}

impl Classification for ErrorClass {}

/// An error that has a class.
///
/// An annotated function that returns `Err(e)` has the outcome `error`, unless the error's type implements this
/// trait: then it has the outcome of the class. The type must be the one in the signature, or a reference, [`Box`],
/// [`Arc`] or [`Rc`] of it. An error behind `dyn Error` has no class.
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
    /// The class of this error.
    fn class(&self) -> ErrorClass;
}

macro_rules! class_of_target {
    ($($pointer:ty),*) => {$(
        impl<E: ClassifyError + ?Sized> ClassifyError for $pointer {
            fn class(&self) -> ErrorClass {
                (**self).class()
            }
        }
    )*};
}

class_of_target!(&E, Box<E>, Arc<E>, Rc<E>);

impl ClassifyError for Infallible {
    fn class(&self) -> ErrorClass {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(feature = "operations", feature = "page"))]
    #[test]
    fn the_list_of_outcomes_is_complete() {
        assert_eq!(Outcome::texts(|_| true), Outcome::VALUES);
    }

    #[test]
    fn statuses_have_the_class_that_exchanges_intend() {
        for (status, class) in [
            (400, ErrorClass::Rejected),
            (401, ErrorClass::Auth),
            (418, ErrorClass::Banned),
            (429, ErrorClass::RateLimited),
            (503, ErrorClass::ServerError),
            (302, ErrorClass::Other),
        ] {
            assert_eq!(ErrorClass::of_status(status), class, "{status}");
        }
    }
}
