//! The scrapes that an instance has seen.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The complete expositions that readers have received from a server.
#[derive(Debug, Default)]
pub(crate) struct ScrapeCount {
    count: AtomicU64,
    /// The wall-clock time of the last one, in nanoseconds.
    last: AtomicU64,
}

impl ScrapeCount {
    pub(crate) fn add(&self, wall: Duration) {
        self.last.store(u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        self.count.fetch_add(1, Relaxed);
    }

    /// The number of scrapes, and the wall-clock time of the last one.
    pub(crate) fn read(&self) -> (u64, Option<Duration>) {
        let count = self.count.load(Relaxed);
        (count, (count > 0).then(|| Duration::from_nanos(self.last.load(Relaxed))))
    }
}
