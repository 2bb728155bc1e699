//! The removable series in an exposition, kept until it is known that a reader has received all of it.

use std::fmt::Debug;
use std::sync::Arc;

/// A series that stores which of its counts a reader has received.
pub(crate) trait Seen: Debug + Send + Sync {
    /// Notes that a reader has received the contents of the series at this [version](super::Slot::mark).
    fn note_seen(&self, mark: u64);
}

/// The series in one exposition whose counts no reader is known to have received yet. Dropped unconfirmed, they stay
/// in that state.
#[derive(Debug, Default)]
#[must_use = "counts are seen only once their receipt is confirmed"]
pub(crate) struct Receipt(Vec<(Arc<dyn Seen>, u64)>);

/// The initial capacity, so that a scrape with a few such series does not allocate for each.
const ROOM: usize = 1_000;

impl Receipt {
    pub(crate) fn add(&mut self, series: Arc<dyn Seen>, mark: u64) {
        if self.0.len() == self.0.capacity() {
            self.0.reserve(ROOM);
        }
        self.0.push((series, mark));
    }

    /// Notes that a reader has received the whole exposition.
    pub(crate) fn confirm(self) {
        for (series, mark) in self.0 {
            series.note_seen(mark);
        }
    }
}
