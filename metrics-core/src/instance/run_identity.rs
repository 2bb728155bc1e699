//! The identity of a run of the bot.

use std::fmt;
use std::time::Duration;

/// Identifies an instance among those of this machine, without the wall clock, which can be set: the boot time of its
/// creation, and its process. Displayed as a word.
#[derive(Debug)]
pub(crate) struct RunIdentity {
    created: Duration,
    process: u32,
}

impl RunIdentity {
    pub(super) fn new(boot_time: Duration) -> Self {
        Self { created: boot_time, process: std::process::id() }
    }
}

impl fmt::Display for RunIdentity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:x}-{:x}", self.created.as_nanos(), self.process)
    }
}
