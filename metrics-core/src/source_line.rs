//! Locations in the bot's source, for messages.

use std::fmt;
use std::panic::Location;

/// A file and a line, with the module and the function if they are known; otherwise those are empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourceLine {
    pub(crate) module: &'static str,
    pub(crate) function: &'static str,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
}

impl SourceLine {
    /// The location of the call of the calling function, if that is `#[track_caller]`.
    #[track_caller]
    pub(crate) const fn of_caller() -> Self {
        Self::of_caller_in("")
    }

    /// Like [`of_caller`](Self::of_caller), for a caller in this module.
    #[track_caller]
    pub(crate) const fn of_caller_in(module: &'static str) -> Self {
        let location = Location::caller();
        Self { module, function: "", file: location.file(), line: location.line() }
    }
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, function, file, line } = self;
        match (*module, *function) {
            ("", _) => write!(f, "{file}:{line}"),
            (_, "") => write!(f, "{module} ({file}:{line})"),
            _ => write!(f, "{module}::{function} ({file}:{line})"),
        }
    }
}
