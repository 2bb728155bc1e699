//! The profiles of an instance: the state of each one's capital, and the end of removed ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use crate::catalogue;
use crate::clock::Created;
use crate::families::capital::CapitalReading;
use crate::labels::bounds::LabelBounds;
use crate::labels::value::OTHER;
use crate::lock::{Lock, LockGuard};
use crate::series::grace_end;
use crate::storage::{CounterSlot, Sink};

/// The maximum number of profiles over the limit whose below-zero state is tracked; for further ones every check
/// counts, because too many violations are better than too few. Also the maximum number whose removal is tracked;
/// further ones have no grace period.
const MOST_BEYOND: usize = 10_000;

/// The profiles of an instance, at most as many as the settings allow. One lock protects the map of profiles with a
/// slot.
#[derive(Debug)]
pub(crate) struct Profiles {
    bound: AtomicUsize,
    places: Lock<BTreeMap<Arc<str>, Arc<ProfileSlots>>>,
    beyond: Lock<Overflowed>,
    overflow: CounterSlot,
    invalid: CounterSlot,
}

/// The state of the profiles over the limit. Their violations share one series; they have no utilisation, because it
/// would be that of the last update.
#[derive(Debug, Default)]
struct Overflowed {
    violations: u64,
    below_zero: BTreeSet<String>,
    /// The time of their removal: the other counts with their names have a grace period too.
    removed: BTreeMap<Arc<str>, Duration>,
    /// The end of the first of these grace periods, or earlier.
    next_end: Option<Duration>,
    /// Whether there is such a profile, or one is named "other".
    is_known: bool,
}

impl Profiles {
    pub(crate) fn new() -> Self {
        Self {
            bound: AtomicUsize::new(LabelBounds::DEFAULT.profiles),
            places: Lock::default(),
            beyond: Lock::default(),
            overflow: CounterSlot::default(),
            invalid: CounterSlot::default(),
        }
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
        self.bound.store(bound, Relaxed);
    }

    /// The slot of this profile, if it has one.
    pub(crate) fn standing_place(&self, id: &str) -> Option<Arc<ProfileSlots>> {
        self.places.lock().get(id).cloned()
    }

    /// The slot of this profile, created if there is capacity. A profile named "other" has none, because its series
    /// would be exported twice.
    pub(crate) fn place(&self, id: &str, now: impl FnOnce() -> Duration) -> Option<Arc<ProfileSlots>> {
        if let Some(slots) = self.places.lock().get(id) {
            return Some(Arc::clone(slots));
        }
        if id == OTHER {
            return None;
        }
        let mut places = self.places.lock();
        if let Some(slots) = places.get(id) {
            return Some(Arc::clone(slots));
        }
        if places.len() >= self.bound.load(Relaxed) {
            return None;
        }
        let mut beyond = self.beyond();
        beyond.removed.remove(id);
        let slots = Arc::new(ProfileSlots::new(now(), beyond.below_zero.remove(id)));
        drop(beyond);
        places.insert(Arc::from(id), Arc::clone(&slots));
        Some(slots)
    }

    /// Exports the series of profiles over the limit from here on.
    pub(crate) fn expect_beyond(&self) {
        self.beyond().is_known = true;
    }

    /// Records the figures of a profile over the limit.
    pub(crate) fn update_beyond(&self, id: &str, figures: &CapitalReading, tolerance: f64) {
        if id != OTHER {
            self.overflow.add(1);
        }
        let mut beyond = self.beyond();
        beyond.removed.remove(id);
        if !figures.is_below_zero(tolerance) {
            beyond.below_zero.remove(id);
        } else if !beyond.below_zero.contains(id) {
            beyond.violations += 1;
            if beyond.below_zero.len() < MOST_BEYOND {
                beyond.below_zero.insert(id.to_owned());
            }
        }
    }

    /// Discards the below-zero state of a profile over the limit.
    pub(crate) fn remove_beyond(&self, id: &str) {
        self.beyond().below_zero.remove(id);
    }

    /// Begins the grace period of a profile over the limit; returns whether it has one.
    pub(crate) fn begin_grace(&self, id: &Arc<str>, now: Duration) -> bool {
        let mut beyond = self.beyond();
        let has_grace = beyond.removed.len() < MOST_BEYOND || beyond.removed.contains_key(id);
        if has_grace {
            beyond.removed.insert(Arc::clone(id), now);
            beyond.next_end.get_or_insert(grace_end(now));
        }
        has_grace
    }

    pub(crate) fn collect(&self, now: Duration, namespace: &str, sink: &mut dyn Sink) {
        // No lock is held while the sink writes: it may wait for a client, but no thread may wait for the sink.
        let places = self.places.lock();
        let standing: Vec<_> = places.iter().map(|(id, slots)| (Arc::clone(id), Arc::clone(slots))).collect();
        drop(places);
        for (profile, slots) in standing {
            slots.collect(&profile, now, sink);
        }
        let family = &catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL;
        let overflow = self.overflow.value();
        let Overflowed { violations, is_known, .. } = *self.beyond();
        if is_known {
            sink.counter(family, &[OTHER], violations);
        }
        let labels = &[&*family.full_name(namespace), "profile_id"];
        sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, labels, overflow);
    }

    /// Removes profiles whose grace period is over, unless a handle still holds them; returns those whose grace
    /// period has ended since the last call.
    pub(crate) fn forget(&self, now: Duration) -> Vec<Arc<str>> {
        let mut ended = self.beyond().end_graces(now);
        let places = self.places.lock();
        if !places.values().any(|slots| slots.is_past_grace(now)) {
            return ended;
        }
        drop(places);
        self.places.lock().retain(|profile, slots| {
            if slots.end_grace(now) {
                ended.push(Arc::clone(profile));
            }
            // A thread that gets a slot holds it before the lock is released. The recordings of its last holder are
            // visible.
            Arc::get_mut(slots).is_none() || !slots.is_past_grace(now)
        });
        ended
    }

    fn beyond(&self) -> LockGuard<'_, Overflowed> {
        self.beyond.lock()
    }
}

impl Overflowed {
    /// The removed profiles whose grace period is over, each once.
    fn end_graces(&mut self, now: Duration) -> Vec<Arc<str>> {
        if self.next_end.is_none_or(|end| now < end) {
            return Vec::new();
        }
        let mut ended = Vec::new();
        self.removed.retain(|profile, removed_at| {
            let is_over = now >= grace_end(*removed_at);
            if is_over {
                ended.push(Arc::clone(profile));
            }
            !is_over
        });
        self.next_end = self.removed.values().min().map(|removed_at| grace_end(*removed_at));
        ended
    }
}

/// The state of one profile's capital.
///
/// A lock and not atomics, because a removal, an update and a scrape at the same time must find one of the others'
/// states and not a mixture. It is held only to copy a few words.
#[derive(Debug)]
pub(crate) struct ProfileSlots {
    created: Created,
    state: Lock<ProfileState>,
}

#[derive(Debug, Default)]
struct ProfileState {
    violations: u64,
    below_zero: bool,
    /// Absent until the first figures, and while removed.
    utilization: Option<f64>,
    /// Boot time of the removal.
    removed_at: Option<Duration>,
    /// Whether the end of the grace period was already reported.
    grace_ended: bool,
    /// Whether it was removed again after a grace period: it is not exported for another.
    is_hidden: bool,
}

impl ProfileSlots {
    /// The slot of a profile that may have been below zero before it had one, in which case its fall is already
    /// counted.
    fn new(now: Duration, below_zero: bool) -> Self {
        let state = Lock::new(ProfileState { below_zero, ..ProfileState::default() });
        Self { created: Created::at(now), state }
    }

    /// Counts a violation if available capital has fallen below zero, and restores a removed profile.
    pub(crate) fn update(&self, figures: &CapitalReading, tolerance: f64) {
        let mut standing = self.standing();
        let is_below = figures.is_below_zero(tolerance);
        standing.violations += u64::from(is_below && !standing.below_zero);
        standing.below_zero = is_below;
        standing.utilization = Some(figures.utilization_percent);
        standing.bring_back();
    }

    pub(crate) fn bring_back(&self) {
        self.standing().bring_back();
    }

    pub(crate) fn remove(&self, now: Duration) {
        let mut standing = self.standing();
        standing.is_hidden |= standing.is_past_grace(now);
        standing.removed_at = Some(now);
        standing.grace_ended = false;
        standing.utilization = None;
        standing.below_zero = false;
    }

    fn is_past_grace(&self, now: Duration) -> bool {
        self.standing().is_past_grace(now)
    }

    /// Whether the grace period is over and this was not reported before.
    fn end_grace(&self, now: Duration) -> bool {
        let mut standing = self.standing();
        let ends = standing.is_past_grace(now) && !standing.grace_ended;
        standing.grace_ended |= ends;
        ends
    }

    fn collect(&self, profile: &str, now: Duration, sink: &mut dyn Sink) {
        let standing = self.standing();
        if standing.is_hidden || standing.is_past_grace(now) {
            return;
        }
        let ProfileState { violations, below_zero, utilization, .. } = *standing;
        drop(standing);
        let labels = &[profile];
        sink.since(self.created);
        sink.counter(&catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL, labels, violations);
        if let Some(utilization) = utilization {
            sink.gauge(&catalogue::PROFILE_UTILIZATION_PERCENT, labels, utilization);
            sink.gauge(&catalogue::CAPITAL_BELOW_ZERO, labels, f64::from(u8::from(below_zero)));
        }
    }

    fn standing(&self) -> LockGuard<'_, ProfileState> {
        self.state.lock()
    }
}

impl ProfileState {
    fn bring_back(&mut self) {
        self.removed_at = None;
        self.grace_ended = false;
        self.is_hidden = false;
    }

    fn is_past_grace(&self, now: Duration) -> bool {
        self.removed_at.is_some_and(|at| now >= grace_end(at))
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
        CapitalReading { available, utilization_percent: 0.0 }
    }

    fn violations(slots: &ProfileSlots) -> u64 {
        slots.standing().violations
    }

    #[test]
    fn violations_count_edges() {
        let slots = ProfileSlots::new(Duration::ZERO, false);
        for (used, expected) in [(101.0, 1), (102.0, 1), (100.0, 1), (99.0, 1), (100.5, 2), (100.5, 2)] {
            slots.update(&capital(100.0, used), 0.0);
            assert_eq!(violations(&slots), expected, "{used} of 100 used");
        }
    }

    #[test]
    fn negative_zero_is_not_below_and_a_tolerance_is_respected() {
        let slots = ProfileSlots::new(Duration::ZERO, false);
        slots.update(&available(-0.0), 0.0);
        slots.update(&capital(100.0, 100.4), 0.5);
        assert_eq!(violations(&slots), 0);
        slots.update(&capital(100.0, 100.6), 0.5);
        assert_eq!(violations(&slots), 1);
    }

    #[test]
    fn concurrent_threads_count_one_fall_once() {
        let slots = ProfileSlots::new(Duration::ZERO, false);
        for round in 1..=100 {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| slots.update(&capital(100.0, 101.0), 0.0));
                }
            });
            assert_eq!(violations(&slots), round);
            slots.update(&capital(100.0, 0.0), 0.0);
        }
    }

    #[test]
    fn a_profile_that_returns_during_its_removal_keeps_its_slot() {
        let profiles = Profiles::new();
        profiles.set_bound(1);
        let later = GRACE * 2;
        for _ in 0..200 {
            profiles.place("x", || Duration::ZERO).expect("a place").remove(Duration::ZERO);
            std::thread::scope(|scope| {
                scope.spawn(|| profiles.forget(later));
                scope.spawn(|| profiles.place("x", || Duration::ZERO).expect("a place").bring_back());
            });
            assert!(profiles.place("x", || Duration::ZERO).is_some());
            assert!(profiles.place("y", || Duration::ZERO).is_none(), "there is one place");
        }
    }

    #[test]
    fn the_end_of_a_grace_period_is_reported_once() {
        let profiles = Profiles::new();
        let held = profiles.place("x", || Duration::ZERO).expect("a place");
        held.remove(Duration::ZERO);
        assert!(profiles.forget(GRACE.saturating_sub(Duration::from_nanos(1))).is_empty());
        assert_eq!(profiles.forget(GRACE), [Arc::from("x")]);
        assert!(profiles.forget(GRACE * 2).is_empty());
        drop(held);
        assert!(profiles.forget(GRACE * 2).is_empty());
        assert!(profiles.places.lock().is_empty());
    }

    #[test]
    fn profiles_over_the_limit_are_tracked_separately() {
        let profiles = Profiles::new();
        profiles.set_bound(0);
        for _ in 0..5 {
            profiles.update_beyond("falls", &capital(1.0, 2.0), 0.0);
            profiles.update_beyond("stands", &capital(2.0, 1.0), 0.0);
        }
        assert_eq!(profiles.beyond().violations, 1);
        profiles.update_beyond("falls", &capital(2.0, 1.0), 0.0);
        profiles.update_beyond("falls", &capital(1.0, 2.0), 0.0);
        assert_eq!(profiles.beyond().violations, 2);
    }

    #[test]
    fn a_tracked_fall_counts_once_while_many_others_are_below_zero() {
        let profiles = Profiles::new();
        profiles.set_bound(0);
        let falls = |id: usize| profiles.update_beyond(&id.to_string(), &available(-1.0), 0.0);
        (0..MOST_BEYOND).for_each(falls);
        let counted = || profiles.beyond().violations;
        let all = counted();
        falls(7);
        assert_eq!(counted(), all, "it stayed below zero");
        falls(MOST_BEYOND);
        falls(MOST_BEYOND);
        assert_eq!(counted(), all + 2, "there is no room to remember it");
    }

    #[test]
    fn a_violation_during_a_removal_is_not_lost() {
        let long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
        let profiles = Profiles::new();
        for round in 1..=if long { 200_000 } else { 500 } {
            let slots = profiles.place("x", || Duration::ZERO).expect("a place");
            slots.update(&available(0.0), 0.0);
            slots.remove(Duration::ZERO);
            std::thread::scope(|scope| {
                scope.spawn(|| profiles.forget(GRACE));
                scope.spawn(move || {
                    for _ in 0..round % 50 {
                        std::hint::spin_loop();
                    }
                    slots.update(&available(-1.0), 0.0);
                });
            });
            let standing = profiles.standing_place("x").expect("it came back");
            assert_eq!(violations(&standing), 1);
            drop(standing);
            profiles.places.lock().clear();
        }
    }

    #[test]
    fn a_fall_over_the_limit_is_not_counted_again_with_a_slot() {
        let profiles = Profiles::new();
        profiles.set_bound(0);
        profiles.update_beyond("x", &available(-1.0), 0.0);
        profiles.set_bound(1);
        let slots = profiles.place("x", || Duration::ZERO).expect("a place");
        slots.update(&available(-2.0), 0.0);
        assert_eq!(violations(&slots) + profiles.beyond().violations, 1);
        slots.update(&available(0.0), 0.0);
        slots.update(&available(-1.0), 0.0);
        assert_eq!(violations(&slots), 1);
    }
}
