//! The profiles that are known: those with their own series up to the limit, those over it, and the grace periods of
//! removed ones.

use std::collections::BTreeMap;
use std::mem::discriminant;
use std::sync::Arc;
use std::time::Duration;

use super::ProfileState;
use crate::clock::{Clock, Created};
use crate::labels::bounds::LabelBounds;
use crate::labels::value::OTHER;
use crate::series::grace_end;

/// The maximum number of profiles over the limit that are tracked in each state. Every check of a further one that is
/// below zero counts, because too many violations are better than too few, and its removal has no grace period.
pub(super) const MOST_OVER: usize = 10_000;

#[derive(Debug)]
pub(super) struct KnownProfiles {
    /// The profiles with their own series, at most `limit`. The handle of one holds its id, which keeps its counts.
    own: BTreeMap<Arc<str>, OwnProfile>,
    pub(super) limit: usize,
    /// Profiles over the limit. Their violations share one series; they have no utilisation, because it would be that
    /// of the last update.
    over: BTreeMap<Arc<str>, Overflowed>,
    pub(super) other_violations: u64,
    /// Whether there is a profile over the limit, or one is named "other".
    has_other: bool,
    /// The end of the first grace period, or earlier.
    next_end: Duration,
    /// The amount below zero that available capital may have.
    pub(super) tolerance: f64,
}

/// A profile with its own series.
#[derive(Debug)]
struct OwnProfile {
    created: Created,
    state: ProfileState,
    /// The end of the grace period of a removal, until it is reported.
    ends: Option<Duration>,
    /// Whether a grace period is over. It is not exported for another if it is removed again.
    is_hidden: bool,
}

/// The state of a profile over the limit.
#[derive(Debug)]
enum Overflowed {
    BelowZero,
    /// Removed, with a grace period that ends at this boot time: the other counts with its name have one too.
    RemovedUntil(Duration),
}

/// The profiles to be exported, and the violations of those over the limit, if there is one.
pub(super) type ExportedProfiles = (Vec<(Arc<str>, Created, ProfileState)>, Option<u64>);

impl Default for KnownProfiles {
    fn default() -> Self {
        Self {
            own: BTreeMap::new(),
            limit: LabelBounds::DEFAULT.profiles,
            over: BTreeMap::new(),
            other_violations: 0,
            has_other: false,
            next_end: Duration::MAX,
            tolerance: 0.0,
        }
    }
}

impl KnownProfiles {
    /// Whether this profile has its own series or can have one. One that is named "other" never has, because it would
    /// be exported twice.
    pub(super) fn have_room(&self, id: &str) -> bool {
        self.own.contains_key(id) || id != OTHER && self.own.len() < self.limit
    }

    /// The id of a profile, which is created if there is capacity.
    pub(super) fn id(&mut self, id: &str, clock: &Clock) -> Option<Arc<str>> {
        self.get_or_create(id, clock)?;
        self.own.get_key_value(id).map(|(id, _)| Arc::clone(id))
    }

    /// The state of a profile, which is restored, or created if there is capacity.
    pub(super) fn restored(&mut self, id: &str, clock: &Clock) -> Option<&mut ProfileState> {
        let profile = self.get_or_create(id, clock)?;
        (profile.ends, profile.is_hidden) = (None, false);
        Some(&mut profile.state)
    }

    /// If a profile was below zero over the limit, that fall is already counted.
    fn get_or_create(&mut self, id: &str, clock: &Clock) -> Option<&mut OwnProfile> {
        if !self.have_room(id) {
            self.has_other = true;
            return None;
        }
        if !self.own.contains_key(id) {
            let below_zero = matches!(self.over.remove(id), Some(Overflowed::BelowZero));
            let state = ProfileState { below_zero, ..ProfileState::default() };
            let created = Created::at(clock.boot_time());
            self.own.insert(Arc::from(id), OwnProfile { created, state, ends: None, is_hidden: false });
        }
        self.own.get_mut(id)
    }

    /// Counts a violation if available capital of a profile over the limit has fallen below zero.
    pub(super) fn update_over(&mut self, id: &str, is_below: bool) {
        if !is_below {
            self.over.remove(id);
        } else if !matches!(self.over.get(id), Some(Overflowed::BelowZero)) {
            self.other_violations += 1;
            self.track(Arc::from(id), Overflowed::BelowZero);
        }
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

    #[cfg(any(test, feature = "page"))]
    pub(super) fn states(&self) -> impl Iterator<Item = (&Arc<str>, &ProfileState)> {
        self.own.iter().map(|(id, profile)| (id, &profile.state))
    }

    #[cfg(feature = "page")]
    pub(super) fn states_mut(&mut self) -> impl Iterator<Item = &mut ProfileState> {
        self.own.values_mut().map(|profile| &mut profile.state)
    }

    pub(super) fn exported(&self) -> ExportedProfiles {
        let exported = self.own.iter().filter(|(_, profile)| !profile.is_hidden);
        let exported = exported.map(|(id, profile)| (Arc::clone(id), profile.created, profile.state.clone()));
        (exported.collect(), self.has_other.then_some(self.other_violations))
    }

    /// Begins the grace period of a profile; returns whether it has one.
    pub(super) fn remove(&mut self, id: &Arc<str>, now: Duration) -> bool {
        self.next_end = self.next_end.min(grace_end(now));
        let Some(profile) = self.own.get_mut(id) else {
            return self.track(Arc::clone(id), Overflowed::RemovedUntil(grace_end(now)));
        };
        profile.is_hidden |= profile.ends.is_some_and(|end| now >= end);
        profile.ends = Some(grace_end(now));
        profile.state.remove();
        true
    }

    /// Removes profiles whose grace period is over, unless their ids are held; returns those whose grace period has
    /// ended since the last call.
    pub(super) fn forget(&mut self, now: Duration) -> Vec<Arc<str>> {
        let mut ended = Vec::new();
        if now < self.next_end {
            return ended;
        }
        let Self { own, over, next_end, .. } = self;
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
