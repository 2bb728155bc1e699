//! A place of the ring: an event stands in it, which anyone may read while the next one is written over it.

use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::{AtomicU64, fence};

/// A place for events of so many words. Events have numbers, which grow.
pub(super) struct Place<const WORDS: usize> {
    /// Twice the number of the event that stands here, plus one while it is being written; 0 before the first.
    pub(super) number: AtomicU64,
    words: [AtomicU64; WORDS],
}

impl<const WORDS: usize> Place<WORDS> {
    pub(super) fn new() -> Self {
        Self { number: AtomicU64::new(0), words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Has event `number` stand here, its first words at least; or drops it, where another one is being written still or
    /// a later one stands here.
    pub(super) fn write(&self, number: u64, words: impl Iterator<Item = u64>) {
        let standing = self.number.load(Relaxed);
        // A writer that was stopped for a whole round keeps its place, and one that comes too late finds it taken.
        let claimable = standing & 1 == 0 && standing < number << 1;
        // Acquire: what the writer before this one wrote does not come over what this one writes.
        if !claimable || self.number.compare_exchange(standing, number << 1 | 1, Acquire, Relaxed).is_err() {
            return;
        }
        // Who sees a word of this event sees that the place is claimed.
        fence(Release);
        for (word, value) in self.words.iter().zip(words) {
            word.store(value, Relaxed);
        }
        // Release: who sees the number sees all of the event.
        self.number.store(number << 1, Release);
    }

    /// The words of event `number`, if that stands here and nobody writes over it.
    pub(super) fn read(&self, number: u64) -> Option<[u64; WORDS]> {
        if self.number.load(Acquire) != number << 1 {
            return None;
        }
        let words = std::array::from_fn(|index| self.words[index].load(Relaxed));
        // Acquire: had a word of a later event been read, its claim would be seen below.
        fence(Acquire);
        (self.number.load(Relaxed) == number << 1).then_some(words)
    }
}
