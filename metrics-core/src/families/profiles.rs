//! The profiles of an instance: the state of each one's capital, and the end of removed ones.

use std::collections::BTreeMap;
use std::mem::discriminant;
use std::sync::Arc;
use std::time::Duration;

use crate::catalogue;
use crate::clock::{Clock, Created};
use crate::families::capital::CapitalReading;
#[cfg(feature = "page")]
use crate::families::profile_times::{ProfileFigures, ProfileTimes};
use crate::labels::bounds::LabelBounds;
use crate::labels::value::OTHER;
use crate::lock::Lock;
use crate::series::grace_end;
use crate::storage::{CounterSlot, Sink};

/// The maximum number of profiles over the limit that are tracked in each state. Every check of a further one that is
/// below zero counts, because too many violations are better than too few, and its removal has no grace period.
const MOST_OVER: usize = 10_000;

/// The profiles of an instance. One lock, held only to look one up and to copy a few words, protects all of them, so
/// that a removal, an update and a scrape at the same time find one of the others' states and not a mixture.
#[derive(Debug)]
pub(crate) struct Profiles {
    clock: Clock,
    known: Lock<KnownProfiles>,
    overflow: CounterSlot,
    invalid: CounterSlot,
}

#[derive(Debug, Default)]
struct KnownProfiles {
    /// The profiles with their own series, at most `limit`. The handle of one holds its id, which keeps its counts.
    own: BTreeMap<Arc<str>, ProfileState>,
    limit: usize,
    /// Profiles over the limit. Their violations share one series; they have no utilisation, because it would be that
    /// of the last update.
    over: BTreeMap<Arc<str>, Overflowed>,
    other_violations: u64,
    /// Whether there is a profile over the limit, or one is named "other".
    has_other: bool,
    /// The end of the first grace period, or earlier.
    next_end: Duration,
}

/// The state of a profile over the limit.
#[derive(Debug)]
enum Overflowed {
    BelowZero,
    /// Removed, with a grace period that ends at this boot time: the other counts with its name have one too.
    RemovedUntil(Duration),
}

/// The state of one profile's capital.
#[derive(Clone, Debug)]
struct ProfileState {
    created: Created,
    violations: u64,
    below_zero: bool,
    /// Absent until the first figures, and while removed.
    figures: Option<CapitalReading>,
    #[cfg(feature = "page")]
    times: ProfileTimes,
    /// The end of the grace period of a removal, until it is reported.
    ends: Option<Duration>,
    /// Whether a grace period is over. It is not exported for another if it is removed again.
    is_hidden: bool,
}

impl Profiles {
    pub(crate) fn new(clock: Clock) -> Self {
        let limit = LabelBounds::DEFAULT.profiles;
        let known = Lock::new(KnownProfiles { limit, next_end: Duration::MAX, ..KnownProfiles::default() });
        Self { clock, known, overflow: CounterSlot::default(), invalid: CounterSlot::default() }
    }

    /// Counts figures that are not numbers.
    pub(crate) fn refuse(&self) {
        self.invalid.add(1);
    }

    /// The number of such figures.
    pub(crate) fn invalid(&self) -> u64 {
        self.invalid.value()
    }

    /// Sets the limit; existing profiles stay.
    pub(crate) fn set_bound(&self, bound: usize) {
        self.known.lock().limit = bound;
    }

    /// Whether this profile has its own series or can have one.
    pub(crate) fn have_room(&self, id: &str) -> bool {
        self.known.lock().have_room(id)
    }

    /// The id of this profile, which is exported from here on; `None` if it is over the limit. Its counts are kept for
    /// as long as the id is held.
    pub(crate) fn id(&self, id: &str) -> Option<Arc<str>> {
        let mut known = self.known.lock();
        known.get_or_create(id, &self.clock)?;
        known.own.get_key_value(id).map(|(id, _)| Arc::clone(id))
    }

    /// Counts a violation if available capital has fallen below zero, and restores a removed profile.
    pub(crate) fn update(&self, id: &str, figures: &CapitalReading, tolerance: f64) {
        let is_below = figures.is_below_zero(tolerance);
        let mut known = self.known.lock();
        if let Some(profile) = known.get_or_create(id, &self.clock) {
            profile.violations += u64::from(is_below && !profile.below_zero);
            profile.below_zero = is_below;
            profile.figures = Some(*figures);
            #[cfg(feature = "page")]
            profile.times.update(figures, is_below, || self.clock.boot_time());
            return profile.restore();
        }
        if id != OTHER {
            self.overflow.add(1);
        }
        if !is_below {
            known.over.remove(id);
        } else if !matches!(known.over.get(id), Some(Overflowed::BelowZero)) {
            known.other_violations += 1;
            known.track(Arc::from(id), Overflowed::BelowZero);
        }
    }

    /// Dates the updates since the last sampling. A server calls it once a second.
    #[cfg(feature = "page")]
    pub(crate) fn sample(&self, now: Duration) {
        self.known.lock().own.values_mut().for_each(|profile| profile.times.sample(now));
    }

    /// The figures of each profile that has any.
    #[cfg(feature = "page")]
    pub(crate) fn figures(&self, now: Duration) -> BTreeMap<Arc<str>, ProfileFigures> {
        let known = self.known.lock();
        let figures = |(id, profile): (&Arc<str>, &ProfileState)| {
            Some((Arc::clone(id), profile.times.figures(profile.figures?, now)))
        };
        known.own.iter().filter_map(figures).collect()
    }

    /// Restores a removed profile.
    pub(crate) fn restore(&self, id: &str) {
        if let Some(profile) = self.known.lock().own.get_mut(id) {
            profile.restore();
        }
    }

    /// Begins the grace period of a profile; returns whether it has one.
    pub(crate) fn remove(&self, id: &Arc<str>, now: Duration) -> bool {
        let mut known = self.known.lock();
        known.next_end = known.next_end.min(grace_end(now));
        let Some(profile) = known.own.get_mut(id) else {
            return known.track(Arc::clone(id), Overflowed::RemovedUntil(grace_end(now)));
        };
        profile.is_hidden |= profile.ends.is_some_and(|end| now >= end);
        profile.ends = Some(grace_end(now));
        profile.figures = None;
        profile.below_zero = false;
        #[cfg(feature = "page")]
        {
            profile.times = ProfileTimes::default();
        }
        true
    }

    /// Exports the profiles, after [`forget`](Self::forget) at the same time.
    pub(crate) fn collect(&self, namespace: &str, sink: &mut dyn Sink) {
        // No lock is held while the sink writes: it may wait for a client, but no thread may wait for the sink.
        let known = self.known.lock();
        let exported = known.own.iter().filter(|(_, profile)| !profile.is_hidden);
        let own: Vec<_> = exported.map(|(id, profile)| (Arc::clone(id), profile.clone())).collect();
        let other_violations = known.has_other.then_some(known.other_violations);
        drop(known);
        let family = &catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL;
        for (id, profile) in own {
            let labels = &[&*id];
            sink.since(profile.created);
            sink.counter(family, labels, profile.violations);
            for (gauge, value) in
                profile.figures.iter().flat_map(|figures| figures.gauges(profile.below_zero))
            {
                sink.gauge(gauge, labels, value);
            }
        }
        if let Some(violations) = other_violations {
            sink.counter(family, &[OTHER], violations);
        }
        let labels = &[&*family.full_name(namespace), "profile_id"];
        sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, labels, self.overflow.value());
    }

    /// Removes profiles whose grace period is over, unless their ids are held; returns those whose grace period has
    /// ended since the last call.
    pub(crate) fn forget(&self, now: Duration) -> Vec<Arc<str>> {
        let mut ended = Vec::new();
        let mut known = self.known.lock();
        if now < known.next_end {
            return ended;
        }
        let KnownProfiles { own, over, next_end, .. } = &mut *known;
        *next_end = Duration::MAX;
        own.retain(|id, profile| {
            // A thread that gets the id holds it before the lock is released.
            let is_held = Arc::strong_count(id) > 1;
            if profile.ends.is_some_and(|end| now >= end) {
                ended.push(Arc::clone(id));
                profile.ends = None;
                profile.is_hidden = true;
            }
            let awaits_release = profile.is_hidden && is_held;
            let next = profile.ends.or(awaits_release.then_some(now));
            *next_end = next.unwrap_or(Duration::MAX).min(*next_end);
            next.is_some() || !profile.is_hidden
        });
        over.retain(|id, state| {
            let Overflowed::RemovedUntil(end) = *state else { return true };
            if now >= end {
                ended.push(Arc::clone(id));
                return false;
            }
            *next_end = end.min(*next_end);
            true
        });
        ended
    }
}

impl KnownProfiles {
    /// A profile named "other" never has its own series, because it would be exported twice.
    fn have_room(&self, id: &str) -> bool {
        self.own.contains_key(id) || id != OTHER && self.own.len() < self.limit
    }

    /// The state of a profile, created if there is capacity. If it was below zero over the limit, that fall is
    /// already counted.
    fn get_or_create(&mut self, id: &str, clock: &Clock) -> Option<&mut ProfileState> {
        if !self.have_room(id) {
            self.has_other = true;
            return None;
        }
        if !self.own.contains_key(id) {
            let below_zero = matches!(self.over.remove(id), Some(Overflowed::BelowZero));
            let created = Created::at(clock.boot_time());
            let profile = ProfileState {
                created,
                violations: 0,
                below_zero,
                figures: None,
                #[cfg(feature = "page")]
                times: ProfileTimes::default(),
                ends: None,
                is_hidden: false,
            };
            self.own.insert(Arc::from(id), profile);
        }
        self.own.get_mut(id)
    }

    /// Sets the state of a profile over the limit; returns whether it is tracked.
    fn track(&mut self, id: Arc<str>, state: Overflowed) -> bool {
        let is_alike = |tracked: &&Overflowed| discriminant(*tracked) == discriminant(&state);
        let is_tracked = self.over.len() < MOST_OVER
            || self.over.contains_key(&id)
            || self.over.values().filter(is_alike).count() < MOST_OVER;
        if is_tracked {
            self.over.insert(id, state);
        }
        is_tracked
    }
}

impl ProfileState {
    fn restore(&mut self) {
        self.ends = None;
        self.is_hidden = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::GRACE;

    fn capital(allocated: f64, used: f64) -> CapitalReading {
        available(allocated - used)
    }

    fn available(available: f64) -> CapitalReading {
        CapitalReading { allocated: 100.0, used: 100.0 - available, available, utilization_percent: 0.0 }
    }

    fn with_limit(limit: usize) -> Profiles {
        let profiles = Profiles::new(Clock::default());
        profiles.set_bound(limit);
        profiles
    }

    /// The violations of the profile "x".
    fn violations(profiles: &Profiles) -> u64 {
        profiles.known.lock().own["x"].violations
    }

    fn other_violations(profiles: &Profiles) -> u64 {
        profiles.known.lock().other_violations
    }

    #[test]
    fn violations_count_edges() {
        let profiles = with_limit(1);
        for (used, expected) in [(101.0, 1), (102.0, 1), (100.0, 1), (99.0, 1), (100.5, 2), (100.5, 2)] {
            profiles.update("x", &capital(100.0, used), 0.0);
            assert_eq!(violations(&profiles), expected, "{used} of 100 used");
        }
    }

    #[test]
    fn negative_zero_is_not_below_and_a_tolerance_is_respected() {
        let profiles = with_limit(1);
        profiles.update("x", &available(-0.0), 0.0);
        profiles.update("x", &capital(100.0, 100.4), 0.5);
        assert_eq!(violations(&profiles), 0);
        profiles.update("x", &capital(100.0, 100.6), 0.5);
        assert_eq!(violations(&profiles), 1);
    }

    #[test]
    fn concurrent_threads_count_one_fall_once() {
        let profiles = with_limit(1);
        for round in 1..=100 {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| profiles.update("x", &capital(100.0, 101.0), 0.0));
                }
            });
            assert_eq!(violations(&profiles), round);
            profiles.update("x", &capital(100.0, 0.0), 0.0);
        }
    }

    #[test]
    fn a_profile_that_returns_during_its_removal_keeps_its_slot() {
        let profiles = with_limit(1);
        let later = GRACE * 2;
        for _ in 0..200 {
            assert!(profiles.remove(&profiles.id("x").expect("a place"), Duration::ZERO));
            std::thread::scope(|scope| {
                scope.spawn(|| profiles.forget(later));
                scope.spawn(|| profiles.restore(&profiles.id("x").expect("a place")));
            });
            assert!(profiles.id("x").is_some());
            assert!(profiles.id("y").is_none(), "there is one place");
        }
    }

    #[test]
    fn the_end_of_a_grace_period_is_reported_once() {
        let profiles = with_limit(1);
        let held = profiles.id("x").expect("a place");
        profiles.remove(&held, Duration::ZERO);
        assert!(profiles.forget(GRACE.saturating_sub(Duration::from_nanos(1))).is_empty());
        assert_eq!(profiles.forget(GRACE), [Arc::from("x")]);
        assert!(profiles.forget(GRACE * 2).is_empty());
        drop(held);
        assert!(profiles.forget(GRACE * 2).is_empty());
        assert!(profiles.known.lock().own.is_empty());
    }

    #[test]
    fn profiles_over_the_limit_are_tracked_separately() {
        let profiles = with_limit(0);
        for _ in 0..5 {
            profiles.update("falls", &capital(1.0, 2.0), 0.0);
            profiles.update("stands", &capital(2.0, 1.0), 0.0);
        }
        assert_eq!(other_violations(&profiles), 1);
        profiles.update("falls", &capital(2.0, 1.0), 0.0);
        profiles.update("falls", &capital(1.0, 2.0), 0.0);
        assert_eq!(other_violations(&profiles), 2);
    }

    #[test]
    fn a_tracked_fall_counts_once_while_many_others_are_below_zero() {
        let profiles = with_limit(0);
        let falls = |id: usize| profiles.update(&id.to_string(), &available(-1.0), 0.0);
        (0..MOST_OVER).for_each(falls);
        let all = other_violations(&profiles);
        falls(7);
        assert_eq!(other_violations(&profiles), all, "it stayed below zero");
        falls(MOST_OVER);
        falls(MOST_OVER);
        assert_eq!(other_violations(&profiles), all + 2, "there is no room to remember it");
    }

    #[test]
    fn profiles_below_zero_take_no_grace_period_from_removed_ones() {
        let profiles = with_limit(0);
        (0..MOST_OVER).for_each(|id| profiles.update(&id.to_string(), &available(-1.0), 0.0));
        assert!(profiles.remove(&Arc::from("x"), Duration::ZERO));
    }

    #[test]
    fn a_violation_during_a_removal_is_not_lost() {
        let long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
        for round in 1..=if long { 200_000 } else { 500 } {
            let profiles = with_limit(1);
            let held = profiles.id("x").expect("a place");
            profiles.update("x", &available(0.0), 0.0);
            profiles.remove(&held, Duration::ZERO);
            std::thread::scope(|scope| {
                scope.spawn(|| profiles.forget(GRACE));
                scope.spawn(|| {
                    for _ in 0..round % 50 {
                        std::hint::spin_loop();
                    }
                    profiles.update("x", &available(-1.0), 0.0);
                    drop(held);
                });
            });
            assert_eq!(violations(&profiles), 1);
        }
    }

    #[test]
    fn a_fall_over_the_limit_is_not_counted_again_with_a_slot() {
        let profiles = with_limit(0);
        profiles.update("x", &available(-1.0), 0.0);
        profiles.set_bound(1);
        profiles.update("x", &available(-2.0), 0.0);
        assert_eq!(violations(&profiles) + other_violations(&profiles), 1);
        profiles.update("x", &available(0.0), 0.0);
        profiles.update("x", &available(-1.0), 0.0);
        assert_eq!(violations(&profiles), 1);
    }
}
