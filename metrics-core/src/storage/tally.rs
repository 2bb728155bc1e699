//! A count in words owned by each thread.

use super::page::WordRange;
use super::single_writer;
use super::sync::AtomicU64;
use super::sync::Ordering::Relaxed;

/// A count that only grows. Adding to it is a load and a store.
#[derive(Debug)]
pub(crate) struct CounterWords {
    run: WordRange,
    /// The counts of threads without words of their own.
    shared: AtomicU64,
}

impl CounterWords {
    pub(crate) fn new() -> Self {
        Self { run: WordRange::new(1), shared: AtomicU64::new(0) }
    }

    #[inline]
    pub(crate) fn add(&self, n: u64) {
        match self.run.word() {
            Some(mine) => single_writer::add(mine, n),
            None => self.add_slowly(n),
        }
    }

    /// For a thread's first addition, and for threads without words.
    #[cold]
    #[inline(never)]
    fn add_slowly(&self, n: u64) {
        match self.run.join() {
            Some(mine) => single_writer::add(&mine[0], n),
            None => single_writer::add_shared(&self.shared, n),
        }
    }

    /// The sum over all threads, saturating. Waits for no thread.
    pub(crate) fn value(&self) -> u64 {
        let counted = self.run.copies().map(|words| words[0].load(Relaxed));
        counted.fold(self.shared.load(Relaxed), u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::crowd::Crowd;
    use super::*;

    #[test]
    fn no_count_is_lost_doubled_or_falls_while_threads_start_and_end() {
        let crowd = Crowd::of_this_run(
            Crowd { threads: 64, lives: 1_600, rounds: 20_000, readings: 0 },
            Crowd { threads: 16, lives: 10, rounds: 400, readings: 0 },
        );
        let (tally, other, mut before) = (CounterWords::new(), CounterWords::new(), 0);
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
    fn a_count_never_falls_after_any_additions_by_any_threads() {
        let (tally, mut before) = (CounterWords::new(), 0);
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
        let without_words = CounterWords { run: WordRange::new(1 << 9), ..CounterWords::new() };
        without_words.add(u64::MAX);
        without_words.add(2);
        assert_eq!(without_words.value(), u64::MAX, "shared");
    }

    #[test]
    fn a_reused_range_is_cleared_in_all_threads() {
        std::thread::scope(|scope| {
            let (to, from) = std::sync::mpsc::channel::<CounterWords>();
            let (back, again) = std::sync::mpsc::channel();
            scope.spawn(move || {
                for tally in from {
                    tally.add(5);
                    back.send(tally.value()).expect("the receiver waits");
                }
            });
            for _ in 0..300 {
                let tally = CounterWords::new();
                tally.add(1);
                to.send(tally).expect("the receiver waits");
                assert_eq!(again.recv(), Ok(6));
            }
        });
    }

    #[test]
    fn counts_without_words_count_too() {
        let tallies: Vec<_> = (0..70_000).map(|_| CounterWords::new()).collect();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| tallies.iter().for_each(|tally| tally.add(3)));
            }
        });
        assert!(tallies.iter().all(|tally| tally.value() == 6));
    }
}
