//! Start-up errors. Recording has no errors.

use std::fmt;

use crate::shown::{LONGEST_MESSAGE, quoted, shown};
use crate::source_line::SourceLine;

/// A start-up error. Its text contains the problem, its location, and the allowed values.
///
/// `Debug` prints the same text, because a `main` that returns an error prints it with `Debug`.
pub struct Error(Box<Problem>);

#[derive(Debug)]
enum Problem {
    Environment {
        variable: &'static str,
        found: EnvValue,
        allowed: &'static str,
    },
    Setting {
        setting: &'static str,
        found: String,
        allowed: &'static str,
    },
    AlreadyInstalled {
        place: SourceLine,
        differences: Vec<String>,
    },
    NoMaxAge {
        subsystem: String,
        place: SourceLine,
    },
    ConflictingMaxAge {
        subsystem: String,
        asked: String,
        set: String,
    },
    NoExchange {
        place: String,
    },
    ConflictingFamily {
        name: &'static str,
        one: String,
        other: String,
    },
    Foreign(prometheus::Error),
    /// An error of the server or of a push, with its own text and cause.
    #[cfg(any(feature = "push", feature = "server"))]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// The value of an environment variable.
#[derive(Debug)]
pub(crate) enum EnvValue {
    Nothing,
    Text(String),
    NoUnicode,
}

impl Error {
    pub(crate) fn environment(variable: &'static str, found: EnvValue, allowed: &'static str) -> Self {
        Self(Box::new(Problem::Environment { variable, found, allowed }))
    }

    pub(crate) fn setting(setting: &'static str, found: impl Into<String>, allowed: &'static str) -> Self {
        Self(Box::new(Problem::Setting { setting, found: found.into(), allowed }))
    }

    /// At `place`, with settings that have these differences.
    pub(crate) fn already_installed(place: SourceLine, differences: Vec<String>) -> Self {
        Self(Box::new(Problem::AlreadyInstalled { place, differences }))
    }

    pub(crate) fn no_max_age(subsystem: &str, place: SourceLine) -> Self {
        Self(Box::new(Problem::NoMaxAge { subsystem: subsystem.to_owned(), place }))
    }

    pub(crate) fn conflicting_max_age(
        subsystem: &str,
        asked: impl fmt::Display,
        set: impl fmt::Display,
    ) -> Self {
        Self(Box::new(Problem::ConflictingMaxAge {
            subsystem: subsystem.to_owned(),
            asked: asked.to_string(),
            set: set.to_string(),
        }))
    }

    pub(crate) fn no_exchange(place: impl fmt::Display) -> Self {
        Self(Box::new(Problem::NoExchange { place: place.to_string() }))
    }

    pub(crate) fn conflicting_family(
        name: &'static str,
        one: impl fmt::Display,
        other: impl fmt::Display,
    ) -> Self {
        Self(Box::new(Problem::ConflictingFamily { name, one: one.to_string(), other: other.to_string() }))
    }

    /// Wraps an error of the server or of a push, which is displayed with its own text.
    #[cfg(any(feature = "push", feature = "server"))]
    pub(crate) fn other(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(Problem::Other(Box::new(error))))
    }

    pub(crate) fn foreign(error: prometheus::Error) -> Self {
        Self(Box::new(Problem::Foreign(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Problem::Environment { variable, found, allowed } => match found {
                EnvValue::Nothing => write!(f, "{variable} is not set: {allowed}"),
                EnvValue::Text(text) => write!(f, "{variable} is {}: {allowed}", quoted(text)),
                EnvValue::NoUnicode => write!(f, "{variable} is not valid Unicode: {allowed}"),
            },
            Problem::Setting { setting, found, allowed } => {
                write!(f, "{setting} {}: {allowed}", quoted(found))
            }
            Problem::AlreadyInstalled { place, differences } => write!(
                f,
                "the metrics of this process are installed already at {place}, with {}: call `install` once",
                differences.join(", and ")
            ),
            Problem::NoMaxAge { subsystem, place } => write!(
                f,
                "subsystem {subsystem} is given a period or age of 0 s at {place}, with which it would never be alive: any \
                 longer time is allowed"
            ),
            Problem::ConflictingMaxAge { subsystem, asked, set } => write!(
                f,
                "subsystem {subsystem} cannot count as stalled both after {asked}, and after {set}: write the same \
                 `every` or `max_age` in both"
            ),
            Problem::NoExchange { place } => write!(
                f,
                "{place} is an exchange call without an exchange: write `exchange = \"…\"` in its attribute, or name \
                 the bot's exchange with `Settings::exchange`"
            ),
            Problem::ConflictingFamily { name, one, other } => {
                write!(f, "the metric {name} is declared twice and differently, in {one} and in {other}")
            }
            Problem::Foreign(error) => {
                let error = error.to_string();
                write!(f, "the collector cannot be registered: {}", shown(&error).up_to(LONGEST_MESSAGE))
            }
            #[cfg(any(feature = "push", feature = "server"))]
            Problem::Other(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            // The error itself is the text.
            Problem::Foreign(error) => error.source(),
            #[cfg(any(feature = "push", feature = "server"))]
            Problem::Other(error) => error.source(),
            _ => None,
        }
    }
}
