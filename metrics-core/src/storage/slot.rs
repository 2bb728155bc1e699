//! What is recorded rarely: written by any thread, read by the snapshot without waiting.
//!
//! All orderings are relaxed: no slot guards other memory, and a scrape needs no common instant across slots.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_absent_until_set() {
        let gauge = GaugeSlot::new();
        assert_eq!(gauge.value(), None);
        gauge.set(f64::INFINITY);
        assert_eq!(gauge.value(), Some(f64::INFINITY));
    }
}
