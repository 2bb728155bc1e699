//! A slot of the ring, which any thread may read while the next event is written over it.

use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::{AtomicU64, fence};

/// A slot for events of this many words. Events have increasing numbers.
pub(super) struct EventRecord<const WORDS: usize> {
    /// Twice the number of the event in this slot, plus one while it is being written; 0 before the first.
    pub(super) number: AtomicU64,
    words: [AtomicU64; WORDS],
}

impl<const WORDS: usize> EventRecord<WORDS> {
    pub(super) fn new() -> Self {
        Self { number: AtomicU64::new(0), words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Stores event `number`, or at least its first words; drops it if another event is still being written, or a
    /// later one is stored.
    pub(super) fn write(&self, number: u64, words: impl Iterator<Item = u64>) {
        let standing = self.number.load(Relaxed);
        // A writer that was stopped for a whole round keeps its slot, and one that comes too late finds it taken.
        let claimable = standing & 1 == 0 && standing < number << 1;
        // Acquire: the words of the previous writer do not overwrite those of this one.
        if !claimable || self.number.compare_exchange(standing, number << 1 | 1, Acquire, Relaxed).is_err() {
            return;
        }
        // A reader that sees a word of this event sees that the slot is claimed.
        fence(Release);
        for (word, value) in self.words.iter().zip(words) {
            word.store(value, Relaxed);
        }
        // Release: a reader that sees the number sees all of the event.
        self.number.store(number << 1, Release);
    }

    /// The words of event `number`, if it is stored here and not being overwritten.
    pub(super) fn read(&self, number: u64) -> Option<[u64; WORDS]> {
        if self.number.load(Acquire) != number << 1 {
            return None;
        }
        let words = std::array::from_fn(|index| self.words[index].load(Relaxed));
        // Acquire: if a word of a later event had been read, its claim would be seen below.
        fence(Acquire);
        (self.number.load(Relaxed) == number << 1).then_some(words)
    }
}
