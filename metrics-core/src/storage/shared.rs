//! The share of those who have none: recordings in thread-local destructors, after `main`, or inside an allocator
//! that was called to make a share. Anyone writes it, so it costs locked instructions.

use super::shard::End;
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
    /// Ends that began to be written.
    entered: AtomicU64,
    /// Ends that are written.
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

    /// A call begins at this tick, unless it is undated.
    pub(super) fn start(&self, at: Option<u64>) {
        if let Some(at) = at {
            self.open.fetch_add(at, Relaxed);
        }
        // Release: who sees that it began sees when.
        self.started.fetch_add(1, Release);
    }

    pub(super) fn end(&self, end: &End) {
        let stamp = match (end.outcome, end.freshens) {
            (0, _) => &self.good_at,
            (_, true) => &self.fresh_at,
            (_, false) => &self.ended_at,
        };
        stamp.fetch_max(end.at, Relaxed);
        self.entered.fetch_add(1, Relaxed);
        // Who sees anything of this end sees that it was entered.
        fence(Release);
        // Nowhere there are none.
        for count in [self.counts.get(end.outcome), self.counts.get(self.outcomes + end.bucket)] {
            count.map(|count| count.fetch_add(1, Relaxed));
        }
        single_writer::add_shared(&self.sum, end.took);
        if let Some(began) = end.began {
            self.open.fetch_sub(began, Relaxed);
        }
        // Release: who sees that it left sees all of it, and of those that left before.
        self.left.fetch_add(1, Release);
    }

    /// Reads what was recorded into `totals`, stamps up to `horizon`. Where somebody is writing it says so: then each
    /// number was true at some moment, yet not all of them at one.
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
        // Acquire: had anything of another end been read, its entry would be seen below.
        fence(Acquire);
        totals.started = started;
        totals.open = open;
        totals.sum = sum.into();
        totals.note_stamps(stamps, horizon);
        left == self.entered.load(Relaxed)
    }

    /// Forgets everything; while nobody records.
    pub(super) fn clear(&self) {
        let words = [&self.started, &self.open, &self.good_at, &self.fresh_at, &self.ended_at];
        let more = [&self.sum, &self.entered, &self.left];
        for word in words.into_iter().chain(more).chain(self.counts) {
            word.store(0, Relaxed);
        }
    }
}

/// A stamp that a counter left which leapt is taken away: as the newest of all it would stay for ever, and no true one
/// could ever replace it.
fn read_stamp(stamp: &AtomicU64, horizon: u64) -> u64 {
    let at = stamp.load(Relaxed);
    if at > horizon {
        // Where another one was written meanwhile, the next reading sees to it.
        let _ = stamp.compare_exchange(at, 0, Relaxed, Relaxed);
        return 0;
    }
    at
}
