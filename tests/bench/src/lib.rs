//! How things are timed: side by side in one process, round robin, medians of many rounds. The machines are shared;
//! what disturbs one contender in one round disturbs all of them over many.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

/// Something to time.
pub struct Contender {
    /// What the table calls it.
    pub name: &'static str,
    /// Does it so many times.
    pub run: fn(u32),
}

/// Median nanoseconds of one repetition, contender by contender, on each of so many threads at once.
pub fn medians(contenders: &[Contender], threads: usize, rounds: usize, repetitions: u32) -> Vec<f64> {
    let mut rows = vec![Vec::with_capacity(rounds * threads); contenders.len()];
    for _ in 0..rounds {
        for (row, contender) in rows.iter_mut().zip(contenders) {
            row.extend(round(contender, threads, repetitions));
        }
    }
    rows.into_iter().map(median).collect()
}

fn round(contender: &Contender, threads: usize, repetitions: u32) -> Vec<f64> {
    let barrier = Barrier::new(threads);
    let timed = || {
        // A thread's first call makes its share.
        (contender.run)(1);
        barrier.wait();
        let start = Instant::now();
        (contender.run)(black_box(repetitions));
        start.elapsed().as_secs_f64() * 1e9 / f64::from(repetitions)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(timed)).collect();
        threads.into_iter().map(|thread| thread.join().expect("contenders do not panic")).collect()
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
