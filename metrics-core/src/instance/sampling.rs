//! The readings of an instance for its history and its status.

use super::core::Core;
use crate::catalogue::Family;
use crate::history::{HistoryReading, MOST_OWN, Selected};
use crate::storage::{ENABLED, Snapshot};

impl Core {
    /// Adds a reading to the history, unless one was added less than half a second ago. Called once a second.
    pub(crate) fn sample(&self) {
        if !ENABLED {
            return;
        }
        let at = self.clock.stamp();
        self.profiles.sample(at.boot_time);
        let due = self.history.lock().and_then(|history| history.due(at.boot_time));
        let Some(depth) = due else { return };
        let (snapshot, left_out) = self.selected(depth.families(), MOST_OWN);
        let reading = HistoryReading::of(&snapshot, at, left_out > 0);
        if let Some(mut history) = self.history.lock() {
            history.add(depth, reading, || self.events.recent().take_sequence());
        }
    }

    /// The current values of some families, with at most this many series of the bot's own; and the number of series
    /// over that limit.
    pub(crate) fn selected(&self, wanted: fn(&Family) -> bool, most_own: usize) -> (Snapshot, usize) {
        let mut selected = Selected::new(wanted, most_own);
        self.collect(&mut selected);
        selected.finish()
    }
}
