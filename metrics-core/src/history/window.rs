//! The last half to whole minute, over which current rates and quantiles are computed.

use std::time::Duration;

use super::MOST_RATED_OPERATIONS;
use super::reading::{HistoryReading, KeptSeries};

/// The interval at which a reading is kept. The window begins with the last but one.
const ROTATION: Duration = Duration::from_secs(30);

/// After a pause of the samplings that is longer, the window begins anew.
const LONGEST_ROTATION: Duration = Duration::from_secs(40);

/// Two readings, the older one of which is 30 to 60 s old.
#[derive(Debug, Default)]
pub(crate) struct Window {
    older: Option<HistoryReading>,
    newer: Option<HistoryReading>,
}

impl Window {
    pub(super) fn is_due(&self, now: Duration) -> bool {
        let newest = self.newer.as_ref().or(self.older.as_ref());
        newest.is_none_or(|newest| now.saturating_sub(newest.at.boot_time) >= ROTATION)
    }

    pub(super) fn rotate(&mut self, reading: HistoryReading) {
        let reading = reading.limited(MOST_RATED_OPERATIONS, &KeptSeries::default());
        let newest = self.newer.take().or_else(|| self.older.take());
        let passed = newest.as_ref().map(|newest| reading.at.boot_time.saturating_sub(newest.at.boot_time));
        if let Some(newest) = newest.filter(|_| passed.is_some_and(|passed| passed <= LONGEST_ROTATION)) {
            (self.older, self.newer) = (Some(newest), Some(reading));
        } else {
            (self.older, self.newer) = (Some(reading), None);
        }
    }

    /// The reading with which the window begins; `None` before the first, and if the samplings have paused since.
    pub(crate) fn begin(&self, now: Duration) -> Option<&HistoryReading> {
        let newest = self.newer.as_ref().or(self.older.as_ref())?;
        let is_current = now.saturating_sub(newest.at.boot_time) <= LONGEST_ROTATION;
        self.older.as_ref().filter(|_| is_current)
    }
}
