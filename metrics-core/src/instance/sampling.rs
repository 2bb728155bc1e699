//! The readings of an instance for its history and its status.

use super::core::Core;
use crate::catalogue::Family;
use crate::history::{HistoryReading, MOST_OWN, Selected, Selection};
use crate::storage::ENABLED;

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
        let reading = HistoryReading::of(&self.selected(depth.families(), MOST_OWN), at);
        if let Some(mut history) = self.history.lock() {
            history.add(depth, reading, || self.events.recent().take_sequence());
        }
    }

    /// The current values of some families, with at most this many series of the bot's own, and the orders of each profile.
    pub(crate) fn selected(&self, wanted: fn(&Family) -> bool, most_own: usize) -> Selection {
        let mut selected = Selected::new(wanted, most_own);
        self.collect(&mut selected);
        selected.finish()
    }
}
