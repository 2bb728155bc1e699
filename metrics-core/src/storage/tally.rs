//! A count that every thread keeps for itself.

use super::page::Run;
use super::single_writer;
use super::sync::AtomicU64;
use super::sync::Ordering::Relaxed;

/// A count that only grows. Adding to it is a load and a store.
#[derive(Debug)]
pub(crate) struct Tally {
    run: Run,
    /// What was counted where a thread has no words of its own.
    shared: AtomicU64,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { run: Run::new(1), shared: AtomicU64::new(0) }
    }

    #[inline]
    pub(crate) fn increment(&self) {
        match self.run.word() {
            Some(mine) => single_writer::increment(mine),
            None => self.add_slowly(1),
        }
    }

    #[inline]
    pub(crate) fn add(&self, n: u64) {
        match self.run.word() {
            Some(mine) => single_writer::add(mine, n),
            None => self.add_slowly(n),
        }
    }

    /// For a thread's first, and where there are no words to be had.
    #[cold]
    #[inline(never)]
    fn add_slowly(&self, n: u64) {
        match self.run.join() {
            Some(mine) => single_writer::add(&mine[0], n),
            None => single_writer::add_shared(&self.shared, n),
        }
    }

    /// All that was counted, or the largest number where it is more. It waits for no thread that counts.
    pub(crate) fn value(&self) -> u64 {
        let counted = self.run.copies().map(|words| words[0].load(Relaxed));
        counted.fold(self.shared.load(Relaxed), u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::super::crowd::Crowd;
    use super::*;

    #[test]
    fn no_count_is_lost_doubled_or_seen_to_fall_while_threads_come_and_go() {
        let crowd = Crowd::of_this_run(
            Crowd { threads: 64, lives: 1_600, rounds: 20_000, readings: 0 },
            Crowd { threads: 16, lives: 10, rounds: 400, readings: 0 },
        );
        let (tally, other, mut before) = (Tally::new(), Tally::new(), 0);
        let count = |_| {
            tally.add(1);
            other.add(2);
        };
        crowd.runs(count, || {
            let now = tally.value();
            assert!(before <= now, "it fell from {before} to {now}");
            before = now;
        });
        assert_eq!((tally.value(), other.value()), (crowd.all(), 2 * crowd.all()));
    }

    #[test]
    fn a_count_never_falls_however_much_is_added_by_whichever_threads() {
        let (tally, mut before) = (Tally::new(), 0);
        let mut grows_by = |n, at_least: u64| {
            tally.add(n);
            let now = tally.value();
            assert!(before <= now && at_least <= now, "it fell from {before} to {now}");
            before = now;
        };
        grows_by(u64::MAX - 1, 1 << 63);
        grows_by(3, (1 << 63) + 3);
        grows_by(u64::MAX, 1 << 63);
        grows_by(1 << 40, 1 << 63);
        std::thread::scope(|scope| {
            scope.spawn(|| tally.add(u64::MAX));
        });
        assert_eq!(tally.value(), u64::MAX, "two threads'");
        tally.add(1);
        assert_eq!(tally.value(), u64::MAX);
        let without_words = Tally { run: Run::nowhere(), ..Tally::new() };
        without_words.add(u64::MAX);
        without_words.add(2);
        assert_eq!(without_words.value(), u64::MAX, "shared");
    }

    #[test]
    fn a_run_that_is_used_again_has_forgotten_everything_its_threads_included() {
        std::thread::scope(|scope| {
            let (to, from) = std::sync::mpsc::channel::<Tally>();
            let (back, again) = std::sync::mpsc::channel();
            scope.spawn(move || {
                for tally in from {
                    tally.add(5);
                    back.send(tally.value()).expect("somebody listens");
                }
            });
            for _ in 0..300 {
                let tally = Tally::new();
                tally.add(1);
                to.send(tally).expect("somebody listens");
                assert_eq!(again.recv(), Ok(6));
            }
        });
    }

    #[test]
    fn more_counts_than_there_are_words_count_alike() {
        let tallies: Vec<_> = (0..70_000).map(|_| Tally::new()).collect();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| tallies.iter().for_each(|tally| tally.add(3)));
            }
        });
        assert!(tallies.iter().all(|tally| tally.value() == 6));
    }
}
