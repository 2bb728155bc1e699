//! Start-up errors. Recording has no errors.

use std::fmt;

use crate::shown::{LONGEST_MESSAGE, quoted, shown};
use crate::source_line::SourceLine;

/// A start-up error. Its text contains the problem, its location, and the allowed values.
///
/// `Debug` prints the same text, because a `main` that returns an error prints it with `Debug`.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Problem>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{variable} {found}: {allowed}")]
    Environment { variable: &'static str, found: EnvValue, allowed: &'static str },
    #[error("{setting} {}: {allowed}", quoted(found))]
    Setting { setting: &'static str, found: String, allowed: &'static str },
    #[error(
        "the metrics of this process are installed already at {place}, with {}: call `install` once",
        differences.join(", and ")
    )]
    AlreadyInstalled { place: SourceLine, differences: Vec<String> },
    #[error(
        "subsystem {subsystem} is given a period or age of 0 s at {place}, with which it would never be alive: any \
         longer time is allowed"
    )]
    NoMaxAge { subsystem: &'static str, place: SourceLine },
    #[error(
        "subsystem {subsystem} cannot count as stalled both after {asked}, and after {set}: write the same `every` \
         or `max_age` in both"
    )]
    ConflictingMaxAge { subsystem: &'static str, asked: String, set: String },
    #[error(
        "{place} is an exchange call without an exchange: write `exchange = \"…\"` in its attribute, or name the \
         bot's exchange with `Settings::exchange`"
    )]
    NoExchange { place: String },
    #[error("the metric {name} is declared twice and differently, in {one} and in {other}")]
    ConflictingFamily { name: &'static str, one: String, other: String },
    #[error(
        "the metrics {one} and {other} have the same name in OpenMetrics, which leaves `_total` out of a counter's: \
         rename {other}, which is declared in {place}"
    )]
    SameNameInOpenMetrics { one: String, other: &'static str, place: String },
    #[error("the collector cannot be registered: {}", shown(.0).up_to(LONGEST_MESSAGE))]
    Foreign(String),
    #[error("the source of exemplars is set already: call `exemplars::set_source` once")]
    SourceOfExemplarsIsSet,
    /// An error of the server or of a push, with its own text and cause.
    #[cfg(any(feature = "push", feature = "server"))]
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// The value of an environment variable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvValue {
    #[error("is not set")]
    Nothing,
    #[error("is {}", quoted(.0))]
    Text(String),
    #[error("is not valid Unicode")]
    NoUnicode,
}

impl Error {
    /// Wraps an error of the server or of a push, which is displayed with its own text.
    #[cfg(any(feature = "push", feature = "server"))]
    pub(crate) fn other(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Problem::Other(Box::new(error)).into()
    }

    pub(crate) fn foreign(error: &prometheus::Error) -> Self {
        Problem::Foreign(error.to_string()).into()
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
