//! The value of one series, of any kind, and the kinds that any thread writes: rarely recorded counts, and gauges, in
//! which the last write wins.
//!
//! All orderings are relaxed: no slot guards other memory, and a scrape needs no common instant across slots.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Sink;
use super::distribution::HistogramWords;
use super::single_writer;
use super::tally::CounterWords;
use crate::catalogue::{Family, Kind};

/// A count that only grows.
#[derive(Debug, Default)]
pub(crate) struct CounterSlot(AtomicU64);

impl CounterSlot {
    pub(crate) fn add(&self, n: u64) {
        single_writer::add_shared(&self.0, n);
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

    /// Replaces the value by the one that `change` computes from it, unless that is NaN. Of concurrent changes none is
    /// lost. Returns whether the value was replaced.
    fn update(&self, change: impl Fn(Option<f64>) -> f64) -> bool {
        let replace = |bits| {
            let changed = change(Self::present(bits));
            (!changed.is_nan()).then(|| changed.to_bits())
        };
        self.0.fetch_update(Relaxed, Relaxed, replace).is_ok()
    }

    /// Makes it absent.
    pub(crate) fn retract(&self) {
        self.0.store(Self::ABSENT, Relaxed);
    }

    pub(crate) fn value(&self) -> Option<f64> {
        Self::present(self.0.load(Relaxed))
    }

    fn present(bits: u64) -> Option<f64> {
        (bits != Self::ABSENT).then(|| f64::from_bits(bits))
    }
}

/// The versions of a gauge that is absent, and of one that is not.
const UNSET: u64 = 0;
const SET: u64 = 1;

/// A value of its family's kind.
#[derive(Debug)]
pub(crate) enum Slot {
    Counter(CounterWords),
    /// The second field counts values that are not numbers.
    Gauge(GaugeSlot, Arc<CounterSlot>),
    /// The second field counts values that are negative, infinite or no numbers.
    Histogram(HistogramWords, Arc<CounterSlot>),
}

impl Slot {
    /// A slot of a family. A counter of floats is the sum of a histogram without bounds, which never falls and loses
    /// nothing to rounding.
    pub(crate) fn new(family: &Family, is_float: bool, invalid: Arc<CounterSlot>) -> Self {
        match family.kind {
            Kind::Counter if !is_float => Self::Counter(CounterWords::new()),
            Kind::Gauge => Self::Gauge(GaugeSlot::new(), invalid),
            Kind::Counter | Kind::Histogram => Self::Histogram(HistogramWords::new(family.buckets), invalid),
        }
    }

    /// Adds one, if it is a counter. Not `add(1)` at the callers: a counter would take 29 instructions instead of 11.
    #[inline]
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    /// Adds `n`, if it is a counter.
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        if let Self::Counter(tally) = self {
            tally.add(n);
        }
    }

    /// Sets it, if it is a gauge and the value is a number.
    #[inline]
    pub(crate) fn set(&self, value: f64) {
        if let Self::Gauge(gauge, invalid) = self {
            if value.is_nan() { invalid.add(1) } else { gauge.set(value) }
        }
    }

    /// Adds to it, if it is a gauge and the result is a number. An absent gauge counts as 0.
    pub(crate) fn change(&self, by: f64) {
        self.update(|value| value.unwrap_or(0.0) + by);
    }

    /// Raises it to `value`, if it is a gauge and below or absent.
    pub(crate) fn raise(&self, to: f64) {
        // `f64::max` would ignore that one of the two is NaN.
        self.update(|value| value.filter(|value| *value >= to).unwrap_or(to));
    }

    fn update(&self, change: impl Fn(Option<f64>) -> f64) {
        if let Self::Gauge(gauge, invalid) = self
            && !gauge.update(change)
        {
            invalid.add(1);
        }
    }

    /// Observes a value, if it is a histogram or a counter of floats and the value is valid.
    #[inline]
    pub(crate) fn observe(&self, value: f64) {
        if let Self::Histogram(distribution, invalid) = self {
            if value.is_finite() && value >= 0.0 { distribution.observe(value) } else { invalid.add(1) }
        }
    }

    /// Makes a gauge absent until it is set again; a count is unchanged. Returns the version that it keeps from here
    /// on until something is recorded.
    pub(crate) fn retract(&self) -> u64 {
        match self {
            Self::Gauge(gauge, _) => {
                gauge.retract();
                // Not its current version, since it may have been set meanwhile.
                UNSET
            }
            Self::Counter(_) | Self::Histogram(..) => self.mark(),
        }
    }

    /// Passes its value to `sink`; a gauge may be absent. Returns the version of that value.
    pub(crate) fn collect(&self, family: &'static Family, labels: &[&str], sink: &mut dyn Sink) -> u64 {
        match self {
            Self::Counter(tally) => {
                let count = tally.value();
                sink.counter(family, labels, count);
                count
            }
            Self::Gauge(gauge, _) => match gauge.value() {
                Some(value) => {
                    sink.gauge(family, labels, value);
                    SET
                }
                None => UNSET,
            },
            Self::Histogram(distribution, _) => distribution.show(|buckets, sum| {
                match family.kind {
                    Kind::Counter => sink.float_counter(family, labels, sum),
                    Kind::Gauge | Kind::Histogram => {
                        sink.exemplars(family, &distribution.exemplars);
                        sink.histogram(family, labels, buckets, sum);
                    }
                }
                buckets.iter().sum()
            }),
        }
    }

    /// Its current contents.
    pub(crate) fn baseline(&self) -> Baseline {
        match self {
            Self::Histogram(distribution, _) => distribution.show(|buckets, sum| Baseline {
                mark: buckets.iter().sum(),
                observed: Some((buckets.into(), sum)),
            }),
            _ => Baseline { mark: self.mark(), observed: None },
        }
    }

    /// Adds the recordings of another slot of the same kind between two moments; nothing for a gauge.
    pub(crate) fn add_difference(&self, before: &Baseline, after: &Baseline) {
        match (self, &before.observed, &after.observed) {
            (Self::Counter(tally), ..) => tally.add(after.mark.saturating_sub(before.mark)),
            (Self::Histogram(distribution, _), Some((buckets, sum)), Some((later, later_sum))) => {
                let more: Vec<_> =
                    later.iter().zip(buckets).map(|(after, before)| after.saturating_sub(*before)).collect();
                distribution.add(&more, (later_sum - sum).max(0.0));
            }
            _ => {}
        }
    }

    /// A version number, which changes when something is recorded.
    pub(crate) fn mark(&self) -> u64 {
        match self {
            Self::Counter(tally) => tally.value(),
            Self::Gauge(gauge, _) => gauge.value().map_or(UNSET, |_| SET),
            Self::Histogram(distribution, _) => distribution.show(|buckets, _| buckets.iter().sum()),
        }
    }
}

/// The contents of a slot at one moment, for computing later recordings.
#[derive(Debug)]
pub(crate) struct Baseline {
    pub(crate) mark: u64,
    /// A histogram's buckets and sum.
    observed: Option<(Box<[u64]>, f64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_absent_until_set() {
        let gauge = GaugeSlot::new();
        assert_eq!(gauge.value(), None);
        gauge.set(f64::INFINITY);
        assert_eq!(gauge.value(), Some(f64::INFINITY));
        gauge.retract();
        assert_eq!(gauge.value(), None);
    }

    #[test]
    fn a_gauge_that_would_become_no_number_keeps_its_value_and_counts_the_change_as_invalid() {
        let invalid = Arc::<CounterSlot>::default();
        let gauge = Slot::Gauge(GaugeSlot::new(), Arc::clone(&invalid));
        let value = || match &gauge {
            Slot::Gauge(gauge, _) => gauge.value(),
            _ => None,
        };
        gauge.change(f64::NAN);
        gauge.raise(f64::NAN);
        assert_eq!((value(), invalid.value()), (None, 2));
        gauge.change(1.5);
        gauge.raise(f64::NAN);
        gauge.change(f64::NAN);
        assert_eq!((value(), invalid.value()), (Some(1.5), 4));
        gauge.set(f64::INFINITY);
        gauge.change(f64::NEG_INFINITY);
        assert_eq!((value(), invalid.value()), (Some(f64::INFINITY), 5));
    }
}
