//! What an exposition says of series that may be removed, until it is known that a reader has received it whole.

use std::fmt::Debug;
use std::sync::Arc;

/// A series that notes which of its counts a reader has received.
pub(crate) trait Seen: Debug + Send + Sync {
    /// A reader has received what the series held at this [mark](super::Slot::mark).
    fn note_seen(&self, mark: u64);
}

/// The series in one exposition that have counts which no reader is known to have received. Dropped unconfirmed, they stay
/// so.
#[derive(Debug, Default)]
#[must_use = "counts are seen only once their receipt is confirmed"]
pub(crate) struct Receipt(Vec<(Arc<dyn Seen>, u64)>);

/// Series for which room is made at once, so that a scrape does not allocate for a few of them each time.
const ROOM: usize = 1_000;

impl Receipt {
    pub(crate) fn add(&mut self, series: Arc<dyn Seen>, mark: u64) {
        if self.0.len() == self.0.capacity() {
            self.0.reserve(ROOM);
        }
        self.0.push((series, mark));
    }

    /// A reader has received the exposition whole.
    pub(crate) fn confirm(self) {
        for (series, mark) in self.0 {
            series.note_seen(mark);
        }
    }
}
