//! One thread's observations of a histogram: written only by that thread, read by any, and neither waits for the
//! other.
//!
//! The words are: the bucket of the last observation, the number of complete observations, two sums, then the
//! buckets. An observation is announced with its bucket, counted, added to the sum that the previous one did not
//! write, and then marked complete. If a reader finds the number of complete observations unchanged after it read the
//! rest, at most one more was in progress: the sum of the complete ones was not written, and if the buckets contain
//! one more, it is the announced one. The reader therefore includes the last observation completely or not at all,
//! and a writer that was stopped while recording delays no reader.
//!
//! Several observations at once are announced as [`SEVERAL`], and no reading is consistent before they are complete.

use super::sync::AtomicU64;
use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::fence;

const ANNOUNCED: usize = 0;
const COMPLETE: usize = 1;
const SUMS: usize = 2;
const BUCKETS: usize = 6;

/// Announced in place of a bucket.
const SEVERAL: u64 = u64::MAX;

/// The number of words for this many buckets, including the last one for all remaining values.
pub(super) const fn words(buckets: usize) -> usize {
    BUCKETS + buckets
}

/// A compensated sum of floats: exact for any number of observations that a bot can make.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    value: f64,
    rest: f64,
}

impl Sum {
    /// Neumaier's summation. It saturates at the largest float, because an infinite sum would never yield a finite
    /// rate again.
    pub(super) fn add(self, value: f64) -> Self {
        let sum = self.value + value;
        if sum == f64::INFINITY {
            return Self { value: f64::MAX, rest: 0.0 };
        }
        let lost = if self.value >= value { (self.value - sum) + value } else { (value - sum) + self.value };
        Self { value: sum, rest: self.rest + lost }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let sum = self.add(other.value);
        Self { rest: sum.rest + other.rest, ..sum }
    }

    pub(super) fn value(self) -> f64 {
        self.value + self.rest
    }

    fn load(words: &[AtomicU64], complete: u64) -> Self {
        let at = place(complete);
        let part = |index: usize| f64::from_bits(words[index].load(Relaxed));
        Self { value: part(at), rest: part(at + 1) }
    }

    fn store(self, words: &[AtomicU64], complete: u64) {
        let at = place(complete);
        words[at].store(self.value.to_bits(), Relaxed);
        words[at + 1].store(self.rest.to_bits(), Relaxed);
    }
}

/// The index of the sum of this many complete observations.
fn place(complete: u64) -> usize {
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

/// Records this many observations by bucket, and their sum. Only the thread that owns the words may call it.
pub(super) fn add(words: &[AtomicU64], more: &[u64], sum: f64) {
    let complete = words[COMPLETE].load(Relaxed);
    words[ANNOUNCED].store(SEVERAL, Release);
    // A reader that sees anything of this sees the announcement.
    fence(Release);
    for (count, more) in words[BUCKETS..].iter().zip(more) {
        count.store(count.load(Relaxed).wrapping_add(*more), Relaxed);
    }
    let all = complete.wrapping_add(more.iter().sum());
    Sum::load(words, complete).add(sum).store(words, all);
    words[COMPLETE].store(all, Release);
    // Release: a reader that no longer sees the announcement sees that the number of complete observations changed.
    words[ANNOUNCED].store(0, Release);
}

/// Returns the sum and fills `buckets` with the matching counts. Also returns whether the reading was consistent: if
/// not, an observation interfered, and each number was correct at some moment but not all at the same one.
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
    let undisturbed = words[COMPLETE].load(Relaxed) == complete && announced != SEVERAL;
    if undisturbed && counted != complete {
        #[expect(clippy::cast_possible_truncation, reason = "the index of a bucket")]
        let bucket = announced as usize;
        buckets[bucket] = buckets[bucket].wrapping_sub(1);
    }
    (sum, undisturbed)
}

/// Reads until a reading is consistent, which `read` returns; returns whether one was. Only a thread that does nothing
/// but record makes a reading fail, and then in some of the attempts, never in ten thousand of them.
pub(super) fn read_consistent(mut read: impl FnMut() -> bool) -> bool {
    (0..10_000).any(|_| {
        let undisturbed = read();
        if !undisturbed {
            std::hint::spin_loop();
        }
        undisturbed
    })
}
