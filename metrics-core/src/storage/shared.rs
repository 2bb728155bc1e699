//! The shard shared by threads that have none of their own: for recordings in thread-local destructors, after `main`,
//! or in an allocator that is called while a shard is created. Any thread writes it, so it costs locked instructions.

use super::shard::EndedCall;
use super::single_writer;
use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::{AtomicU64, fence};
use super::totals::Totals;

#[derive(Debug)]
pub(super) struct Shared {
    started: AtomicU64,
    open: AtomicU64,
    good_at: AtomicU64,
    fresh_at: AtomicU64,
    ended_at: AtomicU64,
    sum: AtomicU64,
    /// Number of ends whose recording has begun.
    entered: AtomicU64,
    /// Number of ends whose recording is complete.
    left: AtomicU64,
    outcomes: usize,
    counts: &'static [AtomicU64],
}

impl Shared {
    pub(super) fn new(outcomes: usize, counts: &'static [AtomicU64]) -> Self {
        Self {
            started: AtomicU64::new(0),
            open: AtomicU64::new(0),
            good_at: AtomicU64::new(0),
            fresh_at: AtomicU64::new(0),
            ended_at: AtomicU64::new(0),
            sum: AtomicU64::new(0),
            entered: AtomicU64::new(0),
            left: AtomicU64::new(0),
            outcomes,
            counts,
        }
    }

    /// Records that a call begins at this tick, unless it is undated.
    pub(super) fn start(&self, at: Option<u64>) {
        if let Some(at) = at {
            self.open.fetch_add(at, Relaxed);
        }
        // Release: a reader that sees that it began sees when.
        self.started.fetch_add(1, Release);
    }

    pub(super) fn end(&self, end: &EndedCall) {
        let stamp = match (end.outcome, end.freshens) {
            (0, _) => &self.good_at,
            (_, true) => &self.fresh_at,
            (_, false) => &self.ended_at,
        };
        stamp.fetch_max(end.at, Relaxed);
        self.entered.fetch_add(1, Relaxed);
        // A reader that sees anything of this end sees that it was entered.
        fence(Release);
        // The call series of unrecorded calls has no counts.
        for count in [self.counts.get(end.outcome), self.counts.get(self.outcomes + end.bucket)] {
            count.map(|count| count.fetch_add(1, Relaxed));
        }
        single_writer::add_shared(&self.sum, end.took);
        if let Some(began) = end.began {
            self.open.fetch_sub(began, Relaxed);
        }
        // Release: a reader that sees that it left sees all of it, and of those that left before.
        self.left.fetch_add(1, Release);
    }

    /// Reads everything that was recorded into `totals`, timestamps up to `horizon`. Returns whether the reading was
    /// consistent: if not, a thread was writing, and each number was correct at some moment but not all at the same
    /// one.
    pub(super) fn read(&self, totals: &mut Totals, horizon: u64) -> bool {
        totals.reset(self.outcomes, self.counts.len() - self.outcomes);
        let left = self.left.load(Acquire);
        let counts = totals.outcomes.iter_mut().chain(&mut totals.buckets);
        for (read, count) in counts.zip(self.counts) {
            *read = count.load(Relaxed);
        }
        let sum = self.sum.load(Relaxed);
        let started = self.started.load(Acquire);
        let open = self.open.load(Relaxed);
        let stamps = [&self.good_at, &self.fresh_at, &self.ended_at].map(|stamp| read_stamp(stamp, horizon));
        // Acquire: if anything of another end had been read, its entry would be seen below.
        fence(Acquire);
        totals.started = started;
        totals.open = open;
        totals.sum = sum.into();
        totals.note_stamps(stamps, horizon);
        left == self.entered.load(Relaxed)
    }

    /// Resets everything; no thread may be recording.
    pub(super) fn clear(&self) {
        let words = [&self.started, &self.open, &self.good_at, &self.fresh_at, &self.ended_at];
        let more = [&self.sum, &self.entered, &self.left];
        for word in words.into_iter().chain(more).chain(self.counts) {
            word.store(0, Relaxed);
        }
    }
}

/// Reads a timestamp, and removes one from a counter that jumped: as the newest of all it would stay for ever, and no
/// correct one could replace it.
fn read_stamp(stamp: &AtomicU64, horizon: u64) -> u64 {
    let at = stamp.load(Relaxed);
    if at > horizon {
        // If another one was written meanwhile, the next reading handles it.
        let _ = stamp.compare_exchange(at, 0, Relaxed, Relaxed);
        return 0;
    }
    at
}
