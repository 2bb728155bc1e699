//! Many threads that record, come and go, while another reads: the frame of the storage's stress tests.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    /// Threads at a time.
    pub(super) threads: u64,
    /// How many of them come one after the other, for each of those.
    pub(super) lives: u64,
    /// Rounds of work of each.
    pub(super) rounds: u64,
    /// Readings at least.
    pub(super) readings: u64,
}

impl Crowd {
    /// The first one where `BOT_METRICS_LONG_TESTS` is set, the other elsewhere.
    pub(super) fn of_this_run(long: Self, short: Self) -> Self {
        if std::env::var_os("BOT_METRICS_LONG_TESTS").is_some() { long } else { short }
    }

    /// Rounds of all threads.
    pub(super) fn all(self) -> u64 {
        self.threads * self.lives * self.rounds
    }

    /// Has each thread do `work` for each of its rounds, by number, while one of its own reads all the time.
    pub(super) fn runs(self, work: impl Fn(u64) + Sync, mut read: impl FnMut() + Send) {
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
            // Each line of threads is one at a time, so that so many run at once.
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
