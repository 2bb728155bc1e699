//! The profiles of an instance: which are known, how each one's capital stands, and when a removed one is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use crate::catalogue;
use crate::families::capital::CapitalReading;
use crate::labels::bounds::LabelBounds;
use crate::labels::value::OTHER;
use crate::lock::{Lock, LockGuard};
use crate::series::grace;
use crate::storage::{CounterSlot, Sink};

/// Profiles beyond the bound whose fall below zero is remembered; further ones are counted at every check, since too
/// many violations are better than too few. And those whose removal is: further ones have no grace.
const MOST_BEYOND: usize = 10_000;

/// The profiles of an instance, at most as many as the settings allow. One lock holds who has a place and what is
/// recorded there.
#[derive(Debug)]
pub(crate) struct Profiles {
    bound: AtomicUsize,
    places: Lock<BTreeMap<Arc<str>, Arc<ProfileSlots>>>,
    beyond: Lock<Overflowed>,
    overflow: CounterSlot,
    invalid: CounterSlot,
}

/// What is known of the profiles that found no place. Their violations have one series; a utilisation they have not,
/// for it would be the one of whoever came last.
#[derive(Debug, Default)]
struct Overflowed {
    violations: u64,
    below_zero: BTreeSet<String>,
    /// When they were removed: what else is counted by their names has its grace too.
    removed: BTreeMap<Arc<str>, Duration>,
    /// When the first of these graces ends, or earlier.
    next_end: Option<Duration>,
    /// Whether there is one, or somebody calls a profile "other".
    is_known: bool,
}

impl Profiles {
    pub(crate) fn new() -> Self {
        Self {
            bound: AtomicUsize::new(LabelBounds::DEFAULT.profiles),
            places: Lock::default(),
            beyond: Lock::default(),
            overflow: CounterSlot::new(),
            invalid: CounterSlot::new(),
        }
    }

    /// Counts figures that are no numbers.
    pub(crate) fn refuse(&self) {
        self.invalid.add(1);
    }

    /// How often they came.
    pub(crate) fn invalid(&self) -> u64 {
        self.invalid.value()
    }

    /// Bounds the places from here on; who has one keeps it.
    pub(crate) fn set_bound(&self, bound: usize) {
        self.bound.store(bound, Relaxed);
    }

    /// The place that this profile has already.
    pub(crate) fn standing_place(&self, id: &str) -> Option<Arc<ProfileSlots>> {
        self.places.lock().get(id).cloned()
    }

    /// The place of this profile, which it has from here on if there is one. A profile that is called "other" has none:
    /// its series would stand there twice.
    pub(crate) fn place(&self, id: &str) -> Option<Arc<ProfileSlots>> {
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
        let slots = Arc::new(ProfileSlots::new(beyond.below_zero.remove(id)));
        drop(beyond);
        places.insert(Arc::from(id), Arc::clone(&slots));
        Some(slots)
    }

    /// Exports the series of profiles that have no place from here on.
    pub(crate) fn expect_beyond(&self) {
        self.beyond().is_known = true;
    }

    /// Takes the figures of a profile that has no place.
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

    /// Forgets that a profile without a place was below zero.
    pub(crate) fn remove_beyond(&self, id: &str) {
        self.beyond().below_zero.remove(id);
    }

    /// Begins the grace of a profile without a place; says whether it has one.
    pub(crate) fn begin_grace(&self, id: &Arc<str>, now: Duration) -> bool {
        let mut beyond = self.beyond();
        let has_grace = beyond.removed.len() < MOST_BEYOND || beyond.removed.contains_key(id);
        if has_grace {
            beyond.removed.insert(Arc::clone(id), now);
            beyond.next_end.get_or_insert(grace::end(now));
        }
        has_grace
    }

    pub(crate) fn collect(&self, now: Duration, namespace: &str, sink: &mut dyn Sink) {
        // No lock is held while the sink writes: it may wait for a client, and nobody for the sink.
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

    /// Forgets removed profiles whose grace is over, unless a handle holds them still; returns those whose grace has
    /// ended since the last call.
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
            // Whoever takes a place holds its slots before the lock is released. What was recorded by whoever held them
            // last is seen.
            Arc::get_mut(slots).is_none() || !slots.is_past_grace(now)
        });
        ended
    }

    fn beyond(&self) -> LockGuard<'_, Overflowed> {
        self.beyond.lock()
    }
}

impl Overflowed {
    /// The removed profiles whose grace is over, once.
    fn end_graces(&mut self, now: Duration) -> Vec<Arc<str>> {
        if self.next_end.is_none_or(|end| now < end) {
            return Vec::new();
        }
        let mut ended = Vec::new();
        self.removed.retain(|profile, removed_at| {
            let is_over = now >= grace::end(*removed_at);
            if is_over {
                ended.push(Arc::clone(profile));
            }
            !is_over
        });
        self.next_end = self.removed.values().min().map(|removed_at| grace::end(*removed_at));
        ended
    }
}

/// How one profile's capital stands.
///
/// A lock and not atomics: a removal, an update and a scrape at the same time must find one of the others' states, not
/// halves of two. Nobody holds it longer than it takes to copy a few words.
#[derive(Debug, Default)]
pub(crate) struct ProfileSlots(Lock<ProfileState>);

#[derive(Debug, Default)]
struct ProfileState {
    violations: u64,
    below_zero: bool,
    /// Absent until the first figures, and while removed.
    utilization: Option<f64>,
    /// Boot time of the removal.
    removed_at: Option<Duration>,
    /// Whether the end of the grace was told already.
    grace_ended: bool,
    /// Whether it was removed again when a grace was over: it is not shown for another.
    is_hidden: bool,
}

impl ProfileSlots {
    /// Of a profile that may have been below zero before it had a place: its fall is counted already.
    fn new(below_zero: bool) -> Self {
        Self(Lock::new(ProfileState { below_zero, ..ProfileState::default() }))
    }

    /// Counts a violation where available capital has fallen below zero, and brings a removed profile back.
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

    /// Whether the grace is over and nobody was told.
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
        sink.counter(&catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL, labels, violations);
        if let Some(utilization) = utilization {
            sink.gauge(&catalogue::PROFILE_UTILIZATION_PERCENT, labels, utilization);
            sink.gauge(&catalogue::CAPITAL_BELOW_ZERO, labels, f64::from(u8::from(below_zero)));
        }
    }

    fn standing(&self) -> LockGuard<'_, ProfileState> {
        self.0.lock()
    }
}

impl ProfileState {
    fn bring_back(&mut self) {
        self.removed_at = None;
        self.grace_ended = false;
        self.is_hidden = false;
    }

    fn is_past_grace(&self, now: Duration) -> bool {
        self.removed_at.is_some_and(|at| now >= grace::end(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::grace::GRACE;

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
        let slots = ProfileSlots::default();
        for (used, expected) in [(101.0, 1), (102.0, 1), (100.0, 1), (99.0, 1), (100.5, 2), (100.5, 2)] {
            slots.update(&capital(100.0, used), 0.0);
            assert_eq!(violations(&slots), expected, "{used} of 100 used");
        }
    }

    #[test]
    fn negative_zero_is_not_below_and_a_tolerance_is_respected() {
        let slots = ProfileSlots::default();
        slots.update(&available(-0.0), 0.0);
        slots.update(&capital(100.0, 100.4), 0.5);
        assert_eq!(violations(&slots), 0);
        slots.update(&capital(100.0, 100.6), 0.5);
        assert_eq!(violations(&slots), 1);
    }

    #[test]
    fn threads_that_see_one_edge_count_it_once() {
        let slots = ProfileSlots::default();
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
    fn a_profile_that_returns_while_it_is_forgotten_keeps_its_place() {
        let profiles = Profiles::new();
        profiles.set_bound(1);
        let later = GRACE * 2;
        for _ in 0..200 {
            profiles.place("x").expect("a place").remove(Duration::ZERO);
            std::thread::scope(|scope| {
                scope.spawn(|| profiles.forget(later));
                scope.spawn(|| profiles.place("x").expect("a place").bring_back());
            });
            assert!(profiles.place("x").is_some());
            assert!(profiles.place("y").is_none(), "there is one place");
        }
    }

    #[test]
    fn a_grace_that_ends_is_told_once() {
        let profiles = Profiles::new();
        let held = profiles.place("x").expect("a place");
        held.remove(Duration::ZERO);
        assert!(profiles.forget(GRACE.saturating_sub(Duration::from_nanos(1))).is_empty());
        assert_eq!(profiles.forget(GRACE), [Arc::from("x")]);
        assert!(profiles.forget(GRACE * 2).is_empty());
        drop(held);
        assert!(profiles.forget(GRACE * 2).is_empty());
        assert!(profiles.places.lock().is_empty());
    }

    #[test]
    fn profiles_beyond_the_bound_are_told_apart() {
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
    fn a_fall_that_is_remembered_counts_once_however_many_others_are_below_zero() {
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
    fn a_violation_that_comes_while_a_removed_profile_is_forgotten_is_not_lost() {
        let long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
        let profiles = Profiles::new();
        for round in 1..=if long { 200_000 } else { 500 } {
            let slots = profiles.place("x").expect("a place");
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
    fn a_fall_without_a_place_is_not_counted_again_with_one() {
        let profiles = Profiles::new();
        profiles.set_bound(0);
        profiles.update_beyond("x", &available(-1.0), 0.0);
        profiles.set_bound(1);
        let slots = profiles.place("x").expect("a place");
        slots.update(&available(-2.0), 0.0);
        assert_eq!(violations(&slots) + profiles.beyond().violations, 1);
        slots.update(&available(0.0), 0.0);
        slots.update(&available(-1.0), 0.0);
        assert_eq!(violations(&slots), 1);
    }
}
