//! The observations of a histogram by those who have no words of their own: anyone writes them, so it costs locked
//! instructions.

use super::observed::Sum;
use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::{AtomicU64, fence};

#[derive(Debug)]
pub(super) struct SharedObserved {
    /// Observations that began to be written.
    entered: AtomicU64,
    /// Observations that are written.
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

    /// Adds so many observations by bucket, and their sum.
    pub(super) fn add(&self, more: &[u64], sum: f64) {
        self.write(sum, || {
            for (count, more) in self.buckets.iter().zip(more) {
                count.fetch_add(*more, Relaxed);
            }
        });
    }

    fn write(&self, value: f64, count: impl FnOnce()) {
        self.entered.fetch_add(1, Relaxed);
        // Who sees anything of this observation sees that it was entered.
        fence(Release);
        count();
        let add = |sum: u64| Some(Sum::default().add(f64::from_bits(sum)).add(value).value().to_bits());
        // It never gives up: the closure always has a value.
        let _ = self.sum.fetch_update(Relaxed, Relaxed, add);
        // Release: who sees that it left sees all of it, and of those that left before.
        self.left.fetch_add(1, Release);
    }

    /// The sum, and into `buckets` what belongs to it; whether nobody was writing meanwhile.
    pub(super) fn read(&self, buckets: &mut [u64]) -> (Sum, bool) {
        let left = self.left.load(Acquire);
        for (read, count) in buckets.iter_mut().zip(&self.buckets) {
            *read = count.load(Relaxed);
        }
        let sum = Sum::default().add(f64::from_bits(self.sum.load(Relaxed)));
        // Acquire: had anything of another observation been read, its entry would be seen below.
        fence(Acquire);
        (sum, left == self.entered.load(Relaxed))
    }
}
