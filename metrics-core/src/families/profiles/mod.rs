//! The profiles of an instance: what their handles record, the families that export it, and the end of removed ones.

mod known;
#[cfg(test)]
mod tests;

#[cfg(feature = "page")]
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use self::known::KnownProfiles;
use crate::LabelValue as _;
use crate::catalogue;
use crate::clock::Clock;
use crate::families::capital::{Amount, Capital, CapitalReading};
use crate::families::custom::CustomSeries;
use crate::families::event::{Event, Events};
#[cfg(feature = "page")]
use crate::families::profile_times::{ProfileFigures, ProfileTimes};
use crate::labels::value::OTHER;
use crate::labels::{EventType, Severity};
use crate::lock::{self, Lock};
use crate::storage::{CounterSlot, ENABLED, Sink, record_outside};

/// The profiles of an instance. One lock, held only to look one up and to copy a few words, protects all of them, so
/// that a removal, an update and a scrape at the same time find one of the others' states and not a mixture.
#[derive(Debug)]
pub(crate) struct Profiles {
    clock: Clock,
    known: Lock<KnownProfiles>,
    overflow: CounterSlot,
    /// The number of figures that are not numbers.
    pub(crate) invalid: CounterSlot,
    /// These and the bot's own families have series of profiles, too, which end with them.
    events: Arc<Events>,
    custom: Arc<CustomSeries>,
}

/// The recorded state of one profile.
#[derive(Clone, Debug, Default)]
struct ProfileState {
    violations: u64,
    below_zero: bool,
    /// Absent until the first figures, and while the profile is removed.
    figures: Option<CapitalReading>,
    #[cfg(feature = "page")]
    times: ProfileTimes,
}

impl ProfileState {
    /// Counts a violation if available capital has fallen below zero.
    #[cfg_attr(not(feature = "page"), expect(unused_variables, reason = "only the page shows times"))]
    fn update(&mut self, figures: &CapitalReading, is_below: bool, now: impl Fn() -> Duration) {
        self.violations += u64::from(is_below && !self.below_zero);
        self.below_zero = is_below;
        self.figures = Some(*figures);
        #[cfg(feature = "page")]
        self.times.update(figures, is_below, now);
    }

    /// Removes everything except the counts.
    fn remove(&mut self) {
        *self = Self { violations: self.violations, ..Self::default() };
    }

    fn export(&self, id: &str, sink: &mut dyn Sink) {
        sink.counter(&catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL, &[id], self.violations);
        for (gauge, value) in self.figures.iter().flat_map(|figures| figures.gauges(self.below_zero)) {
            sink.gauge(gauge, &[id], value);
        }
    }
}

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
    profiles: Arc<Profiles>,
    /// Held, so that the counts of a removed profile are kept.
    id: Arc<str>,
}

impl ProfileHandle {
    /// The profile with this id, which is restored if it was removed.
    pub(crate) fn new(profiles: Arc<Profiles>, id: &str) -> Self {
        // An allocator that requests a handle under a lock creates the profile with its first figures.
        let find = || {
            let id = profiles.id(id)?;
            profiles.known.lock().restored(&id, &profiles.clock);
            Some(id)
        };
        let id = lock::outside(find).flatten().unwrap_or_else(|| Arc::from(id));
        Self { profiles, id }
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
        self.profiles.record(&self.id, capital.figures());
    }

    /// Removes the profile's gauges at once, and after five minutes its counters, including those of its events and
    /// those of the bot's own families with a [`ProfileId`](crate::ProfileId) label, whichever handle counted and
    /// whether or not the profile had its own series. Counts that no scrape has read by then stay for five more
    /// minutes. Counts under "other" stay. The next [`update`](Self::update) of any handle restores the profile.
    pub fn remove(&self) {
        record_outside(|| self.profiles.remove(&self.id));
    }
}

impl Profiles {
    pub(crate) fn new(clock: Clock, events: Arc<Events>, custom: Arc<CustomSeries>) -> Self {
        let known = Lock::new(KnownProfiles::default());
        Self {
            clock,
            known,
            overflow: CounterSlot::default(),
            invalid: CounterSlot::default(),
            events,
            custom,
        }
    }

    /// Sets the limit, and the amount below zero that available capital may have; existing profiles stay.
    pub(crate) fn configure(&self, limit: usize, tolerance: f64) {
        let mut known = self.known.lock();
        (known.limit, known.tolerance) = (limit, tolerance);
    }

    /// The id of this profile, which is exported from here on; `None` if it is over the limit. Its counts are kept for
    /// as long as the id is held.
    pub(crate) fn id(&self, id: &str) -> Option<Arc<str>> {
        self.make_room(id);
        self.known.lock().id(id, &self.clock)
    }

    /// Records new figures of a profile; `None` if one is not a finite number.
    pub(crate) fn record(&self, id: &str, figures: Option<CapitalReading>) {
        if !ENABLED {
            return;
        }
        let Some(figures) = figures else {
            self.invalid.add(1);
            let (severity, kind) = (Severity::Error.as_str(), EventType::InvalidCapital.as_str());
            return Event::new(&self.events, severity, kind).profile(id).record();
        };
        record_outside(|| {
            self.make_room(id);
            self.update(id, &figures);
        });
    }

    /// Counts a violation if available capital has fallen below zero, and restores a removed profile.
    fn update(&self, id: &str, figures: &CapitalReading) {
        let mut known = self.known.lock();
        let is_below = figures.is_below_zero(known.tolerance);
        if let Some(state) = known.restored(id, &self.clock) {
            return state.update(figures, is_below, || self.clock.boot_time());
        }
        if id != OTHER {
            self.overflow.add(1);
        }
        known.update_over(id, is_below);
    }

    /// Dates the updates since the last sampling. A server calls it once a second.
    #[cfg(feature = "page")]
    pub(crate) fn sample(&self, now: Duration) {
        self.known.lock().states_mut().for_each(|state| state.times.sample(now));
    }

    /// The figures of each profile that has any.
    #[cfg(feature = "page")]
    pub(crate) fn figures(&self, now: Duration) -> BTreeMap<Arc<str>, ProfileFigures> {
        let known = self.known.lock();
        let figures = |(id, state): (&Arc<str>, &ProfileState)| {
            Some((Arc::clone(id), state.times.figures(state.figures?, now)))
        };
        known.states().filter_map(figures).collect()
    }

    /// Exports the profiles, after [`forget`](Self::forget) at the same time.
    pub(crate) fn collect(&self, namespace: &str, sink: &mut dyn Sink) {
        // No lock is held while the sink writes: it may wait for a client, but no thread may wait for the sink.
        let (exported, other_violations) = self.known.lock().exported();
        for (id, created, state) in exported {
            sink.since(created);
            state.export(&id, sink);
        }
        let family = &catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL;
        if let Some(violations) = other_violations {
            sink.counter(family, &[OTHER], violations);
        }
        let labels = &[&*family.full_name(namespace), "profile_id"];
        sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, labels, self.overflow.value());
    }

    /// Removes the gauges of a profile at once, and its counts after their grace period.
    fn remove(&self, id: &Arc<str>) {
        let now = self.clock.boot_time();
        if !self.known.lock().remove(id, now) {
            self.forget_elsewhere(id, now);
        }
        self.custom.retract_profile(id, now);
    }

    /// Ends the grace periods that are over, if this profile needs their capacity.
    fn make_room(&self, id: &str) {
        if !self.known.lock().have_room(id) {
            self.forget(self.clock.boot_time());
        }
    }

    /// Ends the grace periods that are over.
    pub(crate) fn forget(&self, now: Duration) {
        let ended = self.known.lock().forget(now);
        for profile in ended {
            self.forget_elsewhere(&profile, now);
        }
    }

    fn forget_elsewhere(&self, id: &str, now: Duration) {
        self.events.forget_profile(id, now);
        self.custom.forget_profile(id, now);
    }
}
