//! One thread's observations of a histogram: written only by that thread, read by any, without a lock.
//!
//! The words are the bucket of the last observation, the number of complete observations, two copies of the sum in two
//! words each, and the counts of the buckets. An observation announces its bucket, increments the bucket's count, writes
//! the new sum to the copy that is not current, and increments the number of complete observations, whose parity
//! selects the current copy. If a reader finds that number unchanged after it read the rest, at most one more
//! observation had begun: it did not overwrite the sum that was read, and if the buckets contain one observation more
//! than the number, it is in the announced bucket. The reader therefore includes the last observation completely or not
//! at all, and a writer that was stopped in [`observe`] delays no reader.
//!
//! [`add`] announces its observations as [`SEVERAL`], and no reading is consistent before they are complete.

use super::sync::AtomicU64;
use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::fence;

const ANNOUNCED: usize = 0;
const COMPLETE: usize = 1;
const SUMS: usize = 2;
const BUCKETS: usize = 6;

/// Announced by [`add`] instead of a bucket, because it changes several.
const SEVERAL: u64 = u64::MAX;

/// The number of words for this many buckets, including the bucket without an upper bound.
pub(super) const fn words(buckets: usize) -> usize {
    BUCKETS + buckets
}

/// A compensated sum of floats: its error does not grow with the number of observations.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    value: f64,
    compensation: f64,
}

impl Sum {
    /// Neumaier's summation of values of at least 0. It saturates at the largest float, because an infinite sum would
    /// never yield a finite rate again.
    pub(super) fn add(self, value: f64) -> Self {
        let sum = self.value + value;
        if sum == f64::INFINITY {
            return Self { value: f64::MAX, compensation: 0.0 };
        }
        let rounded_off =
            if self.value >= value { (self.value - sum) + value } else { (value - sum) + self.value };
        Self { value: sum, compensation: self.compensation + rounded_off }
    }

    /// The sum of two sums.
    pub(super) fn plus(self, other: Self) -> Self {
        let sum = self.add(other.value);
        Self { compensation: sum.compensation + other.compensation, ..sum }
    }

    pub(super) fn value(self) -> f64 {
        self.value + self.compensation
    }

    fn load(words: &[AtomicU64], complete: u64) -> Self {
        let at = sum_index(complete);
        let part = |index: usize| f64::from_bits(words[index].load(Relaxed));
        Self { value: part(at), compensation: part(at + 1) }
    }

    fn store(self, words: &[AtomicU64], complete: u64) {
        let at = sum_index(complete);
        words[at].store(self.value.to_bits(), Relaxed);
        words[at + 1].store(self.compensation.to_bits(), Relaxed);
    }
}

/// The index of the copy of the sum that is current after this many complete observations.
fn sum_index(complete: u64) -> usize {
    SUMS + if complete & 1 == 0 { 0 } else { 2 }
}

/// Records one observation. Only the thread that owns the words may call it.
#[inline]
pub(super) fn observe(words: &[AtomicU64], bucket: usize, value: f64) {
    let complete = words[COMPLETE].load(Relaxed);
    // Release: a reader that sees it announced sees all earlier observations.
    words[ANNOUNCED].store(bucket as u64, Release);
    // A reader that sees the count or the sum sees the announcement, and the previous observation complete.
    fence(Release);
    let count = &words[BUCKETS + bucket];
    count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
    Sum::load(words, complete).add(value).store(words, complete.wrapping_add(1));
    // Release: a reader that sees it complete sees all of it.
    words[COMPLETE].store(complete.wrapping_add(1), Release);
}

/// Records several observations: how many each bucket gets, and the sum of their values. Only the thread that owns the
/// words may call it.
pub(super) fn add(words: &[AtomicU64], observed: &[u64], sum: f64) {
    let complete = words[COMPLETE].load(Relaxed);
    words[ANNOUNCED].store(SEVERAL, Release);
    // A reader that sees anything of this sees the announcement.
    fence(Release);
    for (count, more) in words[BUCKETS..].iter().zip(observed) {
        count.store(count.load(Relaxed).wrapping_add(*more), Relaxed);
    }
    let all = complete.wrapping_add(observed.iter().sum());
    // May overwrite the current copy; the announcement makes readers refuse it.
    Sum::load(words, complete).add(sum).store(words, all);
    words[COMPLETE].store(all, Release);
    // Release: a reader that no longer sees the announcement sees that the number of complete observations changed.
    words[ANNOUNCED].store(0, Release);
}

/// Returns the sum and fills `buckets` with the matching counts. Also returns whether the reading was consistent: if
/// not, it mixes several moments, even the two parts of the sum.
pub(super) fn read(words: &[AtomicU64], buckets: &mut [u64]) -> (Sum, bool) {
    let complete = words[COMPLETE].load(Acquire);
    let sum = Sum::load(words, complete);
    let mut counted = 0_u64;
    for (read, count) in buckets.iter_mut().zip(&words[BUCKETS..]) {
        *read = count.load(Relaxed);
        counted = counted.wrapping_add(*read);
    }
    // Acquire: if anything of a later observation had been read, its announcement would be seen below.
    fence(Acquire);
    let announced = words[ANNOUNCED].load(Acquire);
    let is_consistent = words[COMPLETE].load(Relaxed) == complete && announced != SEVERAL;
    if is_consistent && counted != complete {
        #[expect(clippy::cast_possible_truncation, reason = "the index of a bucket")]
        let bucket = announced as usize;
        buckets[bucket] = buckets[bucket].wrapping_sub(1);
    }
    (sum, is_consistent)
}

/// Calls `read` until it returns that its reading was consistent, at most 10,000 times; returns whether one was. A
/// thread that does nothing but record makes some of the attempts fail. All fail only if it records all the time in which
/// they are made, which is milliseconds, or is interrupted inside [`add`].
pub(super) fn read_consistent(mut read: impl FnMut() -> bool) -> bool {
    (0..10_000).any(|_| {
        let is_consistent = read();
        if !is_consistent {
            std::hint::spin_loop();
        }
        is_consistent
    })
}
