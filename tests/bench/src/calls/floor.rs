//! The lower limit of the cost, and the usual parts of a measurement.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use super::{bare, bare_async, ready};
use crate::{Contender, contender};

pub const BARE: &str = "bare function";
pub const BARE_FUTURE: &str = "bare future";
pub const TWO_TIME_STAMPS: &str = "two readings of the time stamp counter";

/// Buckets, sum and outcomes that all threads share, as in most libraries.
#[repr(align(128))]
struct Shared {
    buckets: [AtomicU64; 12],
    sum: AtomicU64,
    outcomes: [AtomicU64; 2],
}

static SHARED: [Shared; 2] = [const {
    Shared {
        buckets: [const { AtomicU64::new(0) }; 12],
        sum: AtomicU64::new(0),
        outcomes: [const { AtomicU64::new(0) }; 2],
    }
}; 2];

fn shared(metric: usize, n: u64) -> Result<u64, u64> {
    let start = tick();
    let result = bare(n);
    let ticks = tick().wrapping_sub(start);
    let shared = &SHARED[metric];
    // The bounds are powers of two here, which are the cheapest to search.
    shared.buckets[(u64::BITS - ticks.leading_zeros()).saturating_sub(20).min(11) as usize]
        .fetch_add(1, Relaxed);
    shared.sum.fetch_add(ticks, Relaxed);
    shared.outcomes[usize::from(result.is_err())].fetch_add(1, Relaxed);
    result
}

fn two_time_stamps(n: u64) -> Result<u64, u64> {
    let start = tick();
    let result = bare(n);
    black_box(tick().wrapping_sub(start));
    result
}

fn two_instants(n: u64) -> Result<u64, u64> {
    let start = Instant::now();
    let result = bare(n);
    black_box(start.elapsed());
    result
}

#[cfg(target_arch = "x86_64")]
fn tick() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and it accesses no memory.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn tick() -> u64 {
    0
}

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        contender!(BARE, Function, |n| bare(n), bare(n)),
        contender!(BARE_FUTURE, Future, |n| ready(bare_async(n)), ready(bare_async(n))),
        contender!(TWO_TIME_STAMPS, Function, |n| two_time_stamps(n), two_time_stamps(n)),
        contender!("the same and shared atomics", Function, |n| shared(0, n), shared(1, n)),
        contender!("two `Instant::now`", Function, |n| two_instants(n), two_instants(n)),
    ]
}
