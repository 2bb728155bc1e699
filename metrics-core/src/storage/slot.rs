//! Slots: one value each, written by any thread, read by the snapshot without waiting.
//!
//! All orderings are relaxed: no slot guards other memory, and a scrape needs no common instant across slots.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::HistogramValue;

/// A count that only grows.
#[derive(Debug, Default)]
pub(crate) struct CounterSlot(AtomicU64);

impl CounterSlot {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A value that is absent until it is first set.
#[derive(Debug)]
pub(crate) struct GaugeSlot(AtomicU64);

impl GaugeSlot {
    /// The bits of a NaN that no computation yields; a gauge is never set to NaN.
    const ABSENT: u64 = u64::MAX;

    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(Self::ABSENT))
    }

    pub(crate) fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    pub(crate) fn value(&self) -> Option<f64> {
        match self.0.load(Relaxed) {
            Self::ABSENT => None,
            bits => Some(f64::from_bits(bits)),
        }
    }
}

/// How many of something are under way.
#[derive(Debug, Default)]
pub(crate) struct LevelSlot(AtomicI64);

impl LevelSlot {
    pub(crate) const fn new() -> Self {
        Self(AtomicI64::new(0))
    }

    pub(crate) fn raise(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn lower(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    pub(crate) fn value(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// A point in time that only moves forward, absent until it is first set.
#[derive(Debug, Default)]
pub(crate) struct StampSlot(AtomicU64);

impl StampSlot {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Takes `at`, a duration since an origin that the writer knows, unless a later one stands already.
    pub(crate) fn advance(&self, at: Duration) {
        // One more than the nanoseconds, so that the origin itself differs from "never".
        self.0.fetch_max(nanoseconds(at) + 1, Relaxed);
    }

    pub(crate) fn value(&self) -> Option<Duration> {
        self.0.load(Relaxed).checked_sub(1).map(Duration::from_nanos)
    }
}

/// Durations sorted into `N` buckets, the last of them without an upper bound.
#[derive(Debug)]
pub(crate) struct HistogramSlot<const N: usize> {
    bounds_ns: [u64; N],
    buckets: [AtomicU64; N],
    sum_ns: AtomicU64,
}

impl<const N: usize> HistogramSlot<N> {
    /// `bounds` are upper bounds in seconds, ascending, one fewer than there are buckets.
    pub(crate) fn new(bounds: &[f64]) -> Self {
        assert_eq!(bounds.len() + 1, N, "the last bucket has no bound");
        Self {
            bounds_ns: std::array::from_fn(|index| {
                bounds.get(index).map_or(u64::MAX, |&bound| nanoseconds(Duration::from_secs_f64(bound)))
            }),
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            sum_ns: AtomicU64::new(0),
        }
    }

    pub(crate) fn observe(&self, duration: Duration) {
        let ns = nanoseconds(duration);
        let bucket = self.bounds_ns.partition_point(|&bound| bound < ns);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(ns, Relaxed);
    }

    pub(crate) fn value(&self) -> HistogramValue {
        HistogramValue::new(
            self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect(),
            Duration::from_nanos(self.sum_ns.load(Relaxed)),
        )
    }
}

/// Whole nanoseconds; 584 years and more are all the same.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1).min(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_on_a_bound_belongs_to_the_bucket_below_it() {
        let slot = HistogramSlot::<3>::new(&[0.1, 0.25]);
        for ms in [0, 100, 101, 250, 251, 1_000_000] {
            slot.observe(Duration::from_millis(ms));
        }
        let value = slot.value();
        assert_eq!(value.cumulative().collect::<Vec<_>>(), [2, 4, 6]);
        assert_eq!(value.count(), 6);
        assert_eq!(value.sum(), 1000.702);
    }

    #[test]
    fn the_longest_duration_has_a_bucket() {
        let slot = HistogramSlot::<2>::new(&[1.0]);
        slot.observe(Duration::MAX);
        assert_eq!(slot.value().cumulative().collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_gauge_is_absent_until_set() {
        let gauge = GaugeSlot::new();
        assert_eq!(gauge.value(), None);
        gauge.set(f64::INFINITY);
        assert_eq!(gauge.value(), Some(f64::INFINITY));
    }

    #[test]
    fn a_stamp_never_goes_back() {
        let stamp = StampSlot::new();
        assert_eq!(stamp.value(), None);
        stamp.advance(Duration::ZERO);
        assert_eq!(stamp.value(), Some(Duration::ZERO));
        stamp.advance(Duration::from_secs(5));
        stamp.advance(Duration::from_secs(3));
        assert_eq!(stamp.value(), Some(Duration::from_secs(5)));
    }
}
