//! What a declared family's function returns. Without the feature `enable` it records nothing.

use std::sync::Arc;
use std::time::Duration;

use super::series::Slot;

/// A counter of a bot's own family. Clones count together; keep one where it is used often.
#[derive(Clone, Debug)]
pub struct Counter(pub(super) Option<Arc<Slot>>);

impl Counter {
    /// Counts one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Counts `n`.
    pub fn add(&self, n: u64) {
        if let Some(Slot::Counter(counter)) = self.0.as_deref() {
            counter.add(n);
        }
    }
}

/// A gauge of a bot's own family; absent until it is first set.
#[derive(Clone, Debug)]
pub struct Gauge(pub(super) Option<Arc<Slot>>);

impl Gauge {
    /// Sets it. NaN is no value: the gauge keeps the one it has.
    pub fn set(&self, value: f64) {
        if let (Some(Slot::Gauge(gauge)), false) = (self.0.as_deref(), value.is_nan()) {
            gauge.set(value);
        }
    }
}

/// A histogram of a bot's own family.
#[derive(Clone, Debug)]
pub struct Histogram(pub(super) Option<Arc<Slot>>);

impl Histogram {
    /// Observes a value in the unit of the family's name. NaN, infinities and values below zero are no observations.
    pub fn observe(&self, value: f64) {
        if let (Some(Slot::Histogram(buckets)), true) = (self.0.as_deref(), value.is_finite() && value >= 0.0)
        {
            buckets.observe(value);
        }
    }

    /// Observes a duration, in seconds.
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }
}
