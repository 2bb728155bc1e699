//! The handles that a declared family's function returns. Without the feature `enable` they record nothing.

use std::sync::Arc;
use std::time::Duration;

use super::series::process_series;
use crate::clock::Clock;
use crate::series::{Entry, EntryHandle};
use crate::storage::{Slot, lose, record_outside};

/// The destination of a handle's recordings.
#[derive(Clone, Debug)]
pub(super) enum Handle {
    /// Not recorded.
    None { is_lost: bool },
    /// A series with closed labels only, which exists for ever.
    Closed(&'static Slot),
    /// A series that may be removed, and returns with the next recording.
    Open(EntryHandle),
}

impl Handle {
    /// Recordings are disabled.
    pub(super) const NOWHERE: Self = Self::None { is_lost: false };

    /// An allocator requested the handle while this thread was inside a lock.
    pub(super) const LOST: Self = Self::None { is_lost: true };

    /// A choice of four would be compiled to a jump table, which takes seven more instructions.
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

/// A counter of a bot's own family. Clones count together. If a label is open, keep a handle that is used often. A
/// kept handle over the limit counts under "other", and in its own series once one is free.
#[derive(Clone, Debug)]
pub struct Counter(pub(super) Handle);

impl Counter {
    /// Adds one.
    #[inline]
    pub fn increment(&self) {
        self.0.record(Slot::increment);
    }

    /// Adds `n`. It never panics and the counter never falls: far above 2^53, where Prometheus cannot represent
    /// single counts, it saturates.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.record(|slot| slot.add(n));
    }

    /// Removes the series in five minutes, so that a scraper reads its last value; then its label values no longer
    /// count against their limits, even if handles are kept. Counting revives it with its complete count. If others
    /// use its capacity by then, counts go to "other" until there is capacity again. Series with closed labels only
    /// are not removed, nor is "other".
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// A gauge of a bot's own family; absent until it is first set. Values of an open label over its limit have no
/// series, because one for several would have the value of the last writer. `label_overflow_total` counts them.
#[derive(Clone, Debug)]
pub struct Gauge(pub(super) Handle);

impl Gauge {
    /// Sets the value. If it is NaN, the gauge keeps its value, and `invalid_observations_total` increases.
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.record(|slot| slot.set(value));
    }

    /// Removes the series at once. It returns when any handle sets it again, while its label values are within their
    /// limits. Series with a [`ProfileId`](crate::ProfileId) are removed when that profile [is
    /// removed](crate::Profile::remove).
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// A histogram of a bot's own family.
#[derive(Clone, Debug)]
pub struct Histogram(pub(super) Handle);

impl Histogram {
    /// A handle that an allocator requested while this thread was inside a lock.
    pub(crate) const LOST: Self = Self(Handle::LOST);

    /// Observes a value in the unit of the family's name. NaN, infinities and negative values are dropped;
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

    /// Removes the series, like [`Counter::remove`].
    pub fn remove(&self) {
        self.0.remove();
    }
}
