//! What a declared family's function returns. Without the feature `enable` it records nothing.

use std::sync::Arc;
use std::time::Duration;

use super::series::process_series;
use crate::clock::Clock;
use crate::series::{Entry, EntryHandle};
use crate::storage::{Slot, lose, record_outside};

/// Where a handle's recordings go.
#[derive(Clone, Debug)]
pub(super) enum Handle {
    /// Nowhere.
    None { is_lost: bool },
    /// To a series all of whose labels are closed; it stands for ever.
    Closed(&'static Slot),
    /// To a series that may be removed, and comes back with the next recording.
    Open(EntryHandle),
}

impl Handle {
    /// Nothing is measured.
    pub(super) const NOWHERE: Self = Self::None { is_lost: false };

    /// An allocator asked while this thread was inside a lock.
    pub(super) const LOST: Self = Self::None { is_lost: true };

    /// Of a choice among four the compiler makes a table of jumps, which takes seven instructions more.
    #[inline]
    fn record(&self, record: impl Fn(&Slot)) {
        match self {
            Self::Closed(slot) => record(slot),
            Self::Open(held) => held.record(record, look_up_again),
            Self::None { is_lost } => {
                if *is_lost {
                    lose();
                }
            }
        }
    }

    fn remove(&self) {
        match self {
            Self::None { .. } => {}
            Self::Closed(slot) => {
                let _ = slot.retract();
            }
            Self::Open(held) => {
                let _ = record_outside(|| {
                    process_series().remove(held.entry(), Clock::System.boot_time());
                });
            }
        }
    }
}

fn look_up_again(entry: &Entry) -> Option<Arc<Entry>> {
    process_series().open_again(entry, Clock::System.boot_time())
}

/// A counter of a bot's own family. Clones count together; where a label is open, keep one that is used often. Kept
/// where its label found no place it counts under "other", and in a series of its own once a place is free.
#[derive(Clone, Debug)]
pub struct Counter(pub(super) Handle);

impl Counter {
    /// Counts one.
    #[inline]
    pub fn increment(&self) {
        self.0.record(Slot::increment);
    }

    /// Counts `n`. It never panics and the counter never falls: far beyond 2^53, where Prometheus cannot tell single
    /// counts apart, it stays where it is.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.record(|slot| slot.add(n));
    }

    /// Takes the series away, five minutes from now, so that a scraper sees its last value; then its label values no longer
    /// count against their limits, though handles are kept. Counting brings it back with all that it counted. Where others
    /// have its room by then, counts go to "other" until there is room again. Series whose labels are all closed stay, and
    /// so does "other".
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// A gauge of a bot's own family; absent until it is first set. Values of an open label beyond its bound have no series:
/// one for several would be the value of whoever came last. `label_overflow_total` counts them.
#[derive(Clone, Debug)]
pub struct Gauge(pub(super) Handle);

impl Gauge {
    /// Sets it. NaN is no value: the gauge keeps the one it has, and `invalid_observations_total` grows.
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.record(|slot| slot.set(value));
    }

    /// Takes the series away at once, until it is set again, by whatever handle, while its label values are within their
    /// limits. Those with a [`ProfileId`](crate::ProfileId) go when that profile [is removed](crate::Profile::remove).
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// A histogram of a bot's own family.
#[derive(Clone, Debug)]
pub struct Histogram(pub(super) Handle);

impl Histogram {
    /// One that an allocator asked for while this thread was inside a lock.
    pub(crate) const LOST: Self = Self(Handle::LOST);

    /// Observes a value in the unit of the family's name. NaN, infinities and values below zero are no observations;
    /// `invalid_observations_total` counts them.
    #[inline]
    pub fn observe(&self, value: f64) {
        self.0.record(|slot| slot.observe(value));
    }

    /// Observes a duration, in seconds.
    #[inline]
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// Takes the series away, as [`Counter::remove`] does.
    pub fn remove(&self) {
        self.0.remove();
    }
}
