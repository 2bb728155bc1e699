//! A profile's capital: its gauges, its violations, and its removal.

use std::sync::Arc;

use super::core::Core;
use crate::families::capital::{Amount, Capital, CapitalReading};
use crate::families::profiles::ProfileSlots;
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
    id: Arc<str>,
    /// `None` if the limit on profiles was reached; a slot may become free.
    slots: Option<Arc<ProfileSlots>>,
}

impl ProfileHandle {
    /// The profile with this id, which is restored if it was removed.
    pub(crate) fn new(core: Arc<Core>, id: &str) -> Self {
        // An allocator that requests a handle under a lock gets one that finds its slots later.
        let find = || {
            let slots = core.profile_slots(id)?;
            slots.bring_back();
            Some(slots)
        };
        let slots = lock::outside(find).flatten();
        Self { core, id: Arc::from(id), slots }
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
        update(&self.core, &self.id, self.slots.clone(), capital.figures());
    }

    /// Removes the profile's gauges at once, and after five minutes its counters, including those of its events and
    /// those of the bot's own families with a [`ProfileId`](crate::ProfileId) label, whichever handle counted and
    /// whether or not the profile had its own series. Counts that no scrape has read by then stay for five more
    /// minutes. Counts under "other" stay. The next [`update`](Self::update) of any handle restores the profile.
    pub fn remove(&self) {
        let remove = || {
            self.core.profiles.remove_beyond(&self.id);
            // It may have got a slot since this handle found none.
            let slots = self.slots.clone().or_else(|| self.core.profiles.standing_place(&self.id));
            self.core.remove_profile(&self.id, slots.as_deref());
        };
        let _ = record_outside(remove);
    }
}

pub(crate) fn update(
    core: &Core,
    id: &str,
    slots: Option<Arc<ProfileSlots>>,
    figures: Option<CapitalReading>,
) {
    if !ENABLED {
        return;
    }
    let Some(figures) = figures else {
        core.profiles.refuse();
        let event = core.event(Severity::Error.as_str(), EventType::InvalidCapital.as_str());
        return event.profile(id).record();
    };
    let tolerance = core.settings().map_or(0.0, |settings| settings.capital_tolerance);
    let _ = record_outside(|| match slots.or_else(|| core.profile_slots(id)) {
        Some(slots) => slots.update(&figures, tolerance),
        None => core.profiles.update_beyond(id, &figures, tolerance),
    });
}
