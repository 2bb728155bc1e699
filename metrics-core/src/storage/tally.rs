//! A count that every thread keeps for itself.

use super::page::Run;
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
    pub(crate) fn add(&self, n: u64) {
        match self.run.word() {
            Some(mine) => bump(mine, n),
            None => self.add_slowly(n),
        }
    }

    /// For a thread's first, and where there are no words to be had.
    #[cold]
    #[inline(never)]
    fn add_slowly(&self, n: u64) {
        match self.run.join() {
            Some(mine) => bump(&mine[0], n),
            None => {
                self.shared.fetch_add(n, Relaxed);
            }
        }
    }

    /// All that was counted. It waits for no thread that counts.
    pub(crate) fn value(&self) -> u64 {
        let counted = self.run.copies().map(|words| words[0].load(Relaxed));
        counted.fold(self.shared.load(Relaxed), u64::wrapping_add)
    }
}

/// No `fetch_add`: there is one writer.
#[inline]
fn bump(count: &AtomicU64, n: u64) {
    count.store(count.load(Relaxed).wrapping_add(n), Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[test]
    fn no_count_is_lost_doubled_or_seen_to_fall_while_threads_come_and_go() {
        let long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
        let (threads, lives, counts) = if long { (64, 1_600, 20_000) } else { (16, 10, 400) };
        let (tally, other, done) = (Tally::new(), Tally::new(), AtomicBool::new(false));
        let live = || {
            for _ in 0..counts {
                tally.add(1);
                other.add(2);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut before = 0;
                while !done.load(Relaxed) {
                    let now = tally.value();
                    assert!(before <= now, "it fell from {before} to {now}");
                    before = now;
                }
            });
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| (0..lives).for_each(|_| std::thread::scope(|life| drop(life.spawn(live)))))
                })
                .collect();
            for worker in workers {
                worker.join().expect("no worker panics");
            }
            done.store(true, Relaxed);
        });
        assert_eq!((tally.value(), other.value()), (threads * lives * counts, 2 * threads * lives * counts));
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
