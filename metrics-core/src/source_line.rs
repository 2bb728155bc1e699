//! Locations in the bot's source, for messages.

use std::fmt;
use std::panic::Location;

/// A file and a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SourceLine(&'static Location<'static>);

impl SourceLine {
    /// The location of the call of the calling function, if that is `#[track_caller]`.
    #[track_caller]
    pub(crate) fn of_caller() -> Self {
        Self(Location::caller())
    }
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

/// An annotated function and the line of its attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionLine {
    pub(crate) function: &'static str,
    pub(crate) module: &'static str,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
}

impl fmt::Display for FunctionLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{} ({}:{})", self.module, self.function, self.file, self.line)
    }
}
