//! The age at which a subsystem counts as stalled, with the place that set it.

use std::fmt;
use std::time::Duration;

use crate::sites::call_site::CallSite;
use crate::source_line::SourceLine;

/// An age. Equal ages may come from different places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaxAge<'a> {
    pub(crate) age: Duration,
    pub(crate) place: Place<'a>,
}

/// What set an age.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// An attribute.
    Site(&'a CallSite),
    /// A call of a handle.
    Handle(SourceLine),
}

/// For a message: `15s, as bot::cycle (src/bot.rs:7) says`.
impl fmt::Display for MaxAge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, as {} says", self.age, self.place)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(site) => site.fmt(f),
            Self::Handle(line) => line.fmt(f),
        }
    }
}
