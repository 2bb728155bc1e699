//! A file descriptor kept in reserve.

use std::fs::File;

/// Holds one file descriptor. A process that has run out of them releases it to accept one more connection, so that a
/// bot that leaks descriptors can still be scraped.
pub(super) struct SpareDescriptor(Option<File>);

impl SpareDescriptor {
    /// Takes one if possible. If there is no null device, the server merely waits for a descriptor.
    pub(super) fn new() -> Self {
        let mut spare = Self(None);
        spare.refill();
        spare
    }

    pub(super) fn refill(&mut self) {
        if self.0.is_none() {
            self.0 = File::open("/dev/null").ok();
        }
    }

    /// Releases it; returns whether there was one.
    pub(super) fn give_up(&mut self) -> bool {
        self.0.take().is_some()
    }
}
