//! The age at which a subsystem counts as stalled, with its source.

use std::fmt;
use std::time::Duration;

use crate::Error;
use crate::error::Problem;
use crate::source_line::SourceLine;

/// An age. Equal ages may come from different sources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaxAge {
    pub(crate) age: Duration,
    /// The attribute, or the call of a handle.
    pub(crate) place: SourceLine,
}

impl MaxAge {
    /// The error for a subsystem that has this age and is given another.
    pub(crate) fn conflict(self, subsystem: &'static str, asked: Self) -> Error {
        let (asked, set) = (asked.to_string(), self.to_string());
        Problem::ConflictingMaxAge { subsystem, asked, set }.into()
    }
}

/// For a message: `15s, as bot::cycle (src/bot.rs:7) says`.
impl fmt::Display for MaxAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, as {} says", self.age, self.place)
    }
}
