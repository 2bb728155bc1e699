//! The observations of a histogram by threads that have no words of their own. Any thread writes them, so they cost
//! locked instructions.

use super::observed::Sum;
use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::{AtomicU64, fence};

#[derive(Debug)]
pub(super) struct SharedObserved {
    /// Number of observations whose recording has begun.
    entered: AtomicU64,
    /// Number of observations whose recording is complete.
    left: AtomicU64,
    /// The bits of a float.
    sum: AtomicU64,
    buckets: Box<[AtomicU64]>,
}

impl SharedObserved {
    pub(super) fn new(buckets: usize) -> Self {
        Self {
            entered: AtomicU64::new(0),
            left: AtomicU64::new(0),
            sum: AtomicU64::new(0.0f64.to_bits()),
            buckets: (0..buckets).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(super) fn observe(&self, bucket: usize, value: f64) {
        self.write(value, || {
            self.buckets[bucket].fetch_add(1, Relaxed);
        });
    }

    /// Adds this many observations by bucket, and their sum.
    pub(super) fn add(&self, more: &[u64], sum: f64) {
        self.write(sum, || {
            for (count, more) in self.buckets.iter().zip(more) {
                count.fetch_add(*more, Relaxed);
            }
        });
    }

    fn write(&self, value: f64, count: impl FnOnce()) {
        self.entered.fetch_add(1, Relaxed);
        // A reader that sees anything of this observation sees that it was entered.
        fence(Release);
        count();
        let add = |sum: u64| Some(Sum::default().add(f64::from_bits(sum)).add(value).value().to_bits());
        // This cannot fail, since the closure always returns a value.
        let _ = self.sum.fetch_update(Relaxed, Relaxed, add);
        // Release: a reader that sees that it left sees all of it, and of those that left before.
        self.left.fetch_add(1, Release);
    }

    /// Returns the sum, fills `buckets` with the matching counts, and returns whether no thread was writing
    /// meanwhile.
    pub(super) fn read(&self, buckets: &mut [u64]) -> (Sum, bool) {
        let left = self.left.load(Acquire);
        for (read, count) in buckets.iter_mut().zip(&self.buckets) {
            *read = count.load(Relaxed);
        }
        let sum = Sum::default().add(f64::from_bits(self.sum.load(Relaxed)));
        // Acquire: if anything of another observation had been read, its entry would be seen below.
        fence(Acquire);
        (sum, left == self.entered.load(Relaxed))
    }
}
