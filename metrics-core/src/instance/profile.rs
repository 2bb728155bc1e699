//! A profile's capital: its gauges, its violations, and its removal.

use std::sync::Arc;

use super::core::Core;
use crate::families::capital::{Amount, Capital, CapitalReading};
use crate::labels::{EventType, Severity};
use crate::storage::{ENABLED, record_outside};
use crate::{LabelValue, lock};

/// A profile of an instance; from [`Metrics::profile`](crate::Metrics::profile), from which on its counter is
/// exported as 0.
///
/// ```
/// # use bot_metrics::{Capital, Mode, Settings};
/// let metrics = Settings::new(Mode::Paper).build()?;
/// let maker = metrics.profile("maker");
/// maker.update(Capital { allocated: 1_000.0, positions: 1_100.0, ..Capital::default() }); // 110 %, a violation
/// maker.update(Capital { allocated: 1_000.0, positions: 1_200.0, ..Capital::default() }); // 120 %, the same one
/// maker.remove();
/// # Ok::<(), bot_metrics::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ProfileHandle {
    core: Arc<Core>,
    /// Held, so that the counts of a removed profile are kept.
    id: Arc<str>,
}

impl ProfileHandle {
    /// The profile with this id, which is restored if it was removed.
    pub(crate) fn new(core: Arc<Core>, id: &str) -> Self {
        // An allocator that requests a handle under a lock creates the profile with its first figures.
        let find = || {
            let id = profile_id(&core, id)?;
            core.profiles.restore(&id);
            Some(id)
        };
        let id = lock::outside(find).flatten().unwrap_or_else(|| Arc::from(id));
        Self { core, id }
    }

    /// Records new figures: sets the utilisation, and counts a violation if available capital has fallen below zero
    /// since the last figures. Staying below zero adds nothing; a recovery re-arms. First figures below zero count. A
    /// removed profile is restored.
    ///
    /// If a figure is NaN or infinite, nothing changes except that an `INVALID_CAPITAL` event is counted.
    ///
    /// Profiles over [`Settings::profile_limit`](crate::Settings::profile_limit) share the series "other": their
    /// violations are counted there, and they have no utilisation.
    pub fn update<A: Amount>(&self, capital: Capital<A>) {
        update(&self.core, &self.id, capital.figures());
    }

    /// Removes the profile's gauges at once, and after five minutes its counters, including those of its events and
    /// those of the bot's own families with a [`ProfileId`](crate::ProfileId) label, whichever handle counted and
    /// whether or not the profile had its own series. Counts that no scrape has read by then stay for five more
    /// minutes. Counts under "other" stay. The next [`update`](Self::update) of any handle restores the profile.
    pub fn remove(&self) {
        let _ = record_outside(|| self.core.remove_profile(&self.id));
    }
}

/// The id of a profile with its own series, which is exported from here on; `None` if it is over the limit.
pub(crate) fn profile_id(core: &Core, id: &str) -> Option<Arc<str>> {
    core.make_room_for_profile(id);
    core.profiles.id(id)
}

pub(crate) fn update(core: &Core, id: &str, figures: Option<CapitalReading>) {
    if !ENABLED {
        return;
    }
    let Some(figures) = figures else {
        core.profiles.refuse();
        let event = core.event(Severity::Error.as_str(), EventType::InvalidCapital.as_str());
        return event.profile(id).record();
    };
    let tolerance = core.settings().map_or(0.0, |settings| settings.capital_tolerance);
    let _ = record_outside(|| {
        core.make_room_for_profile(id);
        core.profiles.update(id, &figures, tolerance);
    });
}
