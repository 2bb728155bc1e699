//! Many threads that record, start and end while another reads: the harness of the storage's stress tests.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

/// The size of a test.
#[derive(Clone, Copy, Debug)]
pub(in crate::storage) struct Crowd {
    /// The number of concurrent threads.
    pub(in crate::storage) threads: u64,
    /// The number of threads that run one after the other for each of those.
    pub(in crate::storage) lives: u64,
    /// The rounds of work of each thread.
    pub(in crate::storage) rounds: u64,
    /// The minimum number of readings.
    pub(in crate::storage) readings: u64,
}

impl Crowd {
    /// The first size if `BOT_METRICS_LONG_TESTS` is set, otherwise the second.
    pub(in crate::storage) fn of_this_run(long: Self, short: Self) -> Self {
        if std::env::var_os("BOT_METRICS_LONG_TESTS").is_some() { long } else { short }
    }

    /// The number of rounds of all threads.
    pub(in crate::storage) fn all(self) -> u64 {
        self.threads * self.lives * self.rounds
    }

    /// Lets each thread do `work` for each of its rounds, by number, while one more thread reads continuously.
    pub(in crate::storage) fn runs(self, work: impl Fn(u64) + Sync, mut read: impl FnMut() + Send) {
        let (begun, done) = (Instant::now(), AtomicBool::new(false));
        let live = || (0..self.rounds).for_each(&work);
        let readings = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut readings = 0;
                while !done.load(Relaxed) || readings < self.readings {
                    read();
                    readings += 1;
                }
                readings
            });
            // The threads of each sequence run one after the other, so that the number of concurrent threads is constant.
            let lines: Vec<_> = (0..self.threads)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in 0..self.lives {
                            std::thread::scope(|life| life.spawn(live).join().expect("it ends well"));
                        }
                    })
                })
                .collect();
            for line in lines {
                line.join().expect("no line panics");
            }
            done.store(true, Relaxed);
            reader.join().expect("the reader does not panic")
        });
        let threads = self.threads * self.lives;
        println!("{} rounds by {threads} threads, {readings} readings, {:?}", self.all(), begun.elapsed());
    }
}
