//! One thread's observations of a histogram: written by that thread alone, read by anyone, and neither waits for the
//! other.
//!
//! The words are: which bucket the last observation goes to, how many are complete, two sums, then the buckets. An
//! observation is announced with its bucket, counted, added to the sum that the one before it did not write, and then
//! complete. A reader that finds the number of complete ones unchanged after it read the rest knows that at most one
//! more was under way: the sum that belongs to the complete ones stands untouched, and if the buckets hold one more, it
//! is the announced one. So it takes the last observation wholly or not at all, and a writer that was stopped in the
//! middle of one holds nobody up.

use super::sync::AtomicU64;
use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::fence;

const ANNOUNCED: usize = 0;
const COMPLETE: usize = 1;
const SUMS: usize = 2;
const BUCKETS: usize = 6;

/// Words for so many buckets, the one for all the rest included.
pub(super) const fn words(buckets: usize) -> usize {
    BUCKETS + buckets
}

/// A sum of floats with what rounding left of it: exact for any number of observations that a bot can make.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    value: f64,
    rest: f64,
}

impl Sum {
    /// Neumaier's summation. Beyond the largest float it stays there: an infinite sum would never come down to a rate
    /// again.
    pub(super) fn add(self, value: f64) -> Self {
        let sum = self.value + value;
        if sum == f64::INFINITY {
            return Self { value: f64::MAX, rest: 0.0 };
        }
        let lost = if self.value >= value { (self.value - sum) + value } else { (value - sum) + self.value };
        Self { value: sum, rest: self.rest + lost }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        self.add(other.value).add_rest(other.rest)
    }

    fn add_rest(self, rest: f64) -> Self {
        Self { rest: self.rest + rest, ..self }
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

/// Where the sum of so many observations stands.
fn place(complete: u64) -> usize {
    SUMS + if complete & 1 == 0 { 0 } else { 2 }
}

/// Records one observation. Only the words' own thread may do so.
#[inline]
pub(super) fn observe(words: &[AtomicU64], bucket: usize, value: f64) {
    let complete = words[COMPLETE].load(Relaxed);
    // Release: who sees it announced sees all observations before it.
    words[ANNOUNCED].store(bucket as u64, Release);
    // Who sees it counted, or the sum, sees it announced, and the one before it complete.
    fence(Release);
    let count = &words[BUCKETS + bucket];
    count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
    Sum::load(words, complete).add(value).store(words, complete.wrapping_add(1));
    // Release: who sees it complete sees all of it.
    words[COMPLETE].store(complete.wrapping_add(1), Release);
}

/// The sum, and into `buckets` what belongs to it. Where an observation comes between it says so: then each number was
/// true at some moment, yet not all of them at one.
pub(super) fn read(words: &[AtomicU64], buckets: &mut [u64]) -> (Sum, bool) {
    let complete = words[COMPLETE].load(Acquire);
    let sum = Sum::load(words, complete);
    let mut counted = 0_u64;
    for (read, count) in buckets.iter_mut().zip(&words[BUCKETS..]) {
        *read = count.load(Relaxed);
        counted = counted.wrapping_add(*read);
    }
    // Acquire: had anything of a later observation been read, it would be seen announced below.
    fence(Acquire);
    let announced = words[ANNOUNCED].load(Acquire);
    let undisturbed = words[COMPLETE].load(Relaxed) == complete;
    if undisturbed && counted != complete {
        #[expect(clippy::cast_possible_truncation, reason = "the index of a bucket")]
        let bucket = announced as usize;
        buckets[bucket] = buckets[bucket].wrapping_sub(1);
    }
    (sum, undisturbed)
}
