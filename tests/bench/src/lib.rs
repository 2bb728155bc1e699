//! Timing: side by side in one process, in turn, with medians of many rounds. The machines are shared, and a
//! disturbance that hits one contender in one round hits all of them over many.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

pub mod calls;
pub mod processor;

/// A contender.
pub struct Contender {
    /// Its name in the table.
    pub name: &'static str,
    /// The work it does apart from recording, which is subtracted.
    pub base: Base,
    /// Repeats it this many times, with one label set and with another.
    pub run: [fn(u32); 2],
}

/// An unmeasured call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// A call of a function.
    Function,
    /// A call of an `async fn`, polled until it is ready.
    Future,
}

/// Creates a [`Contender`] from its name, its base, and the repeated expressions of `n`, the second with another
/// label set.
#[macro_export]
macro_rules! contender {
    ($name:expr, $base:ident, |$n:ident| $first:expr, $second:expr $(,)?) => {
        $crate::Contender {
            name: $name,
            base: $crate::Base::$base,
            run: [
                |repetitions| {
                    $crate::repeat(repetitions, |$n| {
                        let _ = ::std::hint::black_box($first);
                    })
                },
                |repetitions| {
                    $crate::repeat(repetitions, |$n| {
                        let _ = ::std::hint::black_box($second);
                    })
                },
            ],
        }
    };
}

/// Calls `body` this many times, with a number that the compiler cannot predict.
pub fn repeat(repetitions: u32, mut body: impl FnMut(u64)) {
    for n in 0..repetitions {
        body(black_box(u64::from(n)));
    }
}

/// The label sets that the threads of a round use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// One for all threads.
    Same,
    /// One for each thread; there are two.
    Different,
}

/// Median nanoseconds of one repetition, for each contender, on each of this many concurrent threads.
pub fn medians(
    contenders: &[Contender],
    threads: usize,
    labels: Labels,
    rounds: usize,
    repetitions: u32,
) -> Vec<f64> {
    let mut rows = vec![Vec::with_capacity(rounds * threads); contenders.len()];
    for _ in 0..rounds {
        for (row, contender) in rows.iter_mut().zip(contenders) {
            row.extend(undisturbed(contender, threads, labels, repetitions));
        }
    }
    rows.into_iter().map(median).collect()
}

/// A round in which all threads ran concurrently and all the time, because a thread that waits for a processor causes
/// no contention. If the machine is too busy for that, returns the last round tried.
fn undisturbed(contender: &Contender, threads: usize, labels: Labels, repetitions: u32) -> Vec<f64> {
    let mut round = Vec::new();
    for _ in 0..TRIES {
        round = self::round(contender, threads, labels, repetitions);
        if round.iter().all(|timed| timed.ran_all_the_time() && timed.began_with(&round[0])) {
            break;
        }
    }
    round.iter().map(|timed| timed.seconds * 1e9 / f64::from(repetitions)).collect()
}

const TRIES: usize = 20;

/// The measurement of a thread in a round.
struct Timed {
    start: Instant,
    seconds: f64,
    /// The time for which it ran on a processor.
    running: f64,
}

impl Timed {
    fn ran_all_the_time(&self) -> bool {
        self.running > 0.95 * self.seconds
    }

    fn began_with(&self, other: &Self) -> bool {
        let apart = self.start.max(other.start) - self.start.min(other.start);
        apart.as_secs_f64() < 0.1 * self.seconds
    }
}

fn round(contender: &Contender, threads: usize, labels: Labels, repetitions: u32) -> Vec<Timed> {
    let arrived = AtomicUsize::new(0);
    let timed = &|thread: usize| {
        processor::pin(thread);
        let run = contender.run[if labels == Labels::Same { 0 } else { thread % 2 }];
        // A thread's first call allocates its words.
        run(1);
        // A thread that slept until the last one arrives would start when that one is half done.
        arrived.fetch_add(1, Ordering::AcqRel);
        while arrived.load(Ordering::Acquire) < threads {
            std::hint::spin_loop();
        }
        let (start, running) = (Instant::now(), processor::thread_seconds());
        run(black_box(repetitions));
        Timed {
            start,
            seconds: start.elapsed().as_secs_f64(),
            running: processor::thread_seconds() - running,
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || timed(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("contenders do not panic")).collect()
    })
}

/// The median.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
