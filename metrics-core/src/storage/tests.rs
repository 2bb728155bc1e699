//! Call series used by many threads that start and end, and read concurrently.
//!
//! Runs short versions by default. `BOT_METRICS_LONG_TESTS=1 cargo test --release -p bot-metrics --lib
//! storage::tests` makes 2·10^9 recordings on 64 concurrent threads, of which 10^5 end, and at least 10^6 readings.

pub(super) mod crowd;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use self::crowd::Crowd;
use super::recorder::{CallSeries, CallSeriesLease, Ending, Scratch, SeriesShape};
use super::running::RunInProgress;
use super::totals::Totals;
use crate::clock::{Clock, ManualReadings, ManualTimes, Scale};

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static STEP: Cell<u64> = const { Cell::new(0) };
}

/// Each thread's clock advances by one step per reading, so every call takes one step.
#[derive(Debug)]
struct Stepping;

impl ManualReadings for Stepping {
    fn times(&self) -> ManualTimes {
        NOW.set(NOW.get() + STEP.get());
        let now = Duration::from_nanos(NOW.get());
        ManualTimes { monotonic: now, boot_time: now, wall: now }
    }
}

const QUICK: u64 = 7;
const SLOW: u64 = 1_000_003;
const GOOD: Ending = Ending { outcome: 0, observed: true, freshens: false };
const BAD: Ending = Ending { outcome: 1, ..GOOD };
const SKIPPED: Ending = Ending { outcome: 2, observed: false, freshens: true };

impl CallSeriesLease {
    /// A call series with this number, for threads that record to no other.
    pub(crate) fn numbered(id: u32, bounds: &[f64], outcomes: usize, scale: Scale) -> Self {
        Self(Box::leak(Box::new(CallSeries::new(id, SeriesShape::new(bounds, outcomes, scale)))))
    }

    /// The ends recorded without a shard.
    pub(crate) fn ended_without_share(&self) -> u64 {
        let mut totals = Totals::default();
        self.fallback.get().map_or(0, |fallback| {
            fallback.read(&mut totals, u64::MAX);
            totals.ended()
        })
    }
}

fn lease() -> CallSeriesLease {
    CallSeriesLease::new(&[1e-6, 1.0], 3, Scale::NANOSECONDS)
}

fn clock() -> Clock {
    Clock::Manual(Arc::new(Stepping))
}

fn read(lease: &CallSeriesLease) -> Totals {
    read_until(lease, u64::MAX)
}

fn read_until(lease: &CallSeriesLease, horizon: u64) -> Totals {
    lease.read(&mut Scratch::default(), horizon).clone()
}

fn end(running: RunInProgress, clock: &Clock, ending: Ending) {
    let now = clock.ticks();
    let running = running.on_this_thread();
    if ending.outcome != 0 || !running.end_quickly(now) {
        running.end(ending, now);
    }
}

/// The `n`th call of a thread: mostly quick successes, every 8th slow, every 16th skipped.
fn call(lease: &CallSeriesLease, clock: &Clock, n: u64) {
    let (step, ending) = match n % 16 {
        3 => (SLOW, GOOD),
        7 => (QUICK, SKIPPED),
        11 => (SLOW, BAD),
        _ => (QUICK, GOOD),
    };
    STEP.set(step);
    end(lease.start(clock), clock, ending);
}

/// Checks the invariants of a reading, and of two successive ones.
fn check(now: &Totals, before: &Totals) {
    let [quick, slow, beyond, skipped] = now.buckets[..] else { panic!("four buckets: {now:?}") };
    let ends = now.ended();
    assert_eq!(now.buckets.iter().sum::<u64>(), ends, "each end is in a bucket: {now:?}");
    assert_eq!(now.outcomes[2], skipped, "{now:?}");
    assert_eq!(beyond, 0, "{now:?}");
    let sum = u128::from(quick) * u128::from(QUICK) + u128::from(slow) * u128::from(SLOW);
    assert_eq!(now.sum, sum, "the sum is the buckets': {now:?}");
    let pairs = now.buckets.iter().zip(&before.buckets).chain(now.outcomes.iter().zip(&before.outcomes));
    assert!(pairs.into_iter().all(|(now, before)| now >= before), "it fell from {before:?} to {now:?}");
    // Each thread has its own time here, and a shard has many owners, so timestamps are not compared.
    assert!(now.started >= before.started);
}

#[test]
fn an_end_is_quick_up_to_the_first_bound_to_the_tick() {
    let (lease, clock) = (lease(), clock());
    STEP.set(0);
    for (took, is_quick) in [(999, true), (1_000, true), (1_001, false)] {
        let began = clock.ticks();
        let running: RunInProgress = lease.start(&clock);
        let running = running.on_this_thread();
        assert_eq!(running.end_quickly(began + took), is_quick, "{took} ns");
        if !is_quick {
            running.end(GOOD, began + took);
        }
    }
    assert_eq!(read(&lease).buckets, [2, 1, 0, 0]);
}

/// A clock may return anything.
#[test]
fn the_sum_of_durations_never_falls() {
    for by_fallback in [false, true] {
        let (lease, clock) = (lease(), clock());
        let mut before = 0;
        for n in 0..40 {
            let running: RunInProgress = lease.start(&clock);
            let running = if by_fallback { running.on_fallback() } else { running.on_this_thread() };
            if n % 3 == 0 {
                running.end(GOOD, u64::MAX);
            } else {
                STEP.set(QUICK);
                let now = clock.ticks();
                if by_fallback || !running.end_quickly(now) {
                    running.end(GOOD, now);
                }
            }
            let Totals { sum, buckets, .. } = read(&lease);
            assert!(sum >= before, "it fell from {before} to {sum}");
            assert_eq!(buckets.iter().sum::<u64>(), n + 1);
            before = sum;
        }
        assert!(before >= 1 << 61, "{before}");
    }
}

#[test]
fn no_recording_is_lost_doubled_or_torn_while_threads_start_and_end() {
    let crowd = Crowd::of_this_run(
        Crowd { threads: 64, lives: 1_600, rounds: 20_000, readings: 1_000_000 },
        Crowd { threads: 64, lives: 10, rounds: 400, readings: 100 },
    );
    let (lease, clock) = (lease(), clock());
    let mut before = read(&lease);
    let reading = || {
        let now = read(&lease);
        check(&now, &before);
        before = now;
    };
    crowd.runs(|n| call(&lease, &clock, n), reading);
    let totals = read(&lease);
    let all = crowd.all();
    assert_eq!((totals.started, totals.ended(), totals.under_way()), (all, all, 0));
    assert_eq!(totals.outcomes, [all / 16 * 14, all / 16, all / 16]);
    let shards = lease.shards.iter().count();
    assert!(shards <= 2 * 64, "{shards} shards for 64 threads");
}

#[test]
fn a_call_may_end_on_another_thread_and_after_its_own_has_ended() {
    let (lease, clock) = (lease(), clock());
    STEP.set(QUICK);
    let running = std::thread::scope(|scope| scope.spawn(|| lease.start(&clock)).join().expect("it started"));
    assert_eq!(read(&lease).under_way(), 1);
    NOW.set(0);
    end(running, &clock, GOOD);
    let totals = read(&lease);
    assert_eq!((totals.under_way(), &totals.outcomes[..]), (0, &[1, 0, 0][..]));
}

#[test]
fn a_reused_recorder_is_cleared_in_all_threads() {
    let clock = clock();
    STEP.set(QUICK);
    // Distinct bounds, so that no other test takes the call series.
    let lease = || CallSeriesLease::new(&[3e-6], 3, Scale::NANOSECONDS);
    let mut recorders = Vec::new();
    for _ in 0..3 {
        let lease = lease();
        assert_eq!(read(&lease).started, 0);
        for n in 0..3 {
            call(&lease, &clock, n);
        }
        assert_eq!((read(&lease).started, read(&lease).ended()), (3, 3));
        recorders.push(std::ptr::from_ref(lease.0));
    }
    assert!(recorders.iter().all(|recorder| *recorder == recorders[0]), "memory grows with each instance");
}

#[test]
fn a_duration_on_a_bound_belongs_to_the_bucket_below_it_and_the_longest_has_one() {
    let (lease, clock) = (CallSeriesLease::new(&[0.1, 0.25], 1, Scale::NANOSECONDS), clock());
    for ms in [0, 100, 101, 250, 251, 1_000_000] {
        STEP.set(ms * 1_000_000);
        end(lease.start(&clock), &clock, GOOD);
    }
    assert_eq!(read(&lease).buckets, [2, 2, 2, 0]);
    assert_eq!(Scale::NANOSECONDS.duration(read(&lease).sum), Duration::from_millis(1_000_702));
    let running: RunInProgress = lease.start(&clock);
    running.on_this_thread().end(GOOD, u64::MAX);
    assert_eq!(read(&lease).buckets, [2, 2, 3, 0]);
}

#[test]
fn a_clock_that_goes_back_yields_no_duration() {
    let (lease, clock) = (lease(), clock());
    STEP.set(QUICK);
    let running = lease.start(&clock);
    NOW.set(0);
    end(running, &clock, GOOD);
    assert_eq!((&read(&lease).buckets[..], read(&lease).sum), (&[1, 0, 0, 0][..], 0));
}

#[test]
fn recorders_without_a_near_number_record_too() {
    let (leases, clock) = ((0..300).map(|_| lease()).collect::<Vec<_>>(), clock());
    assert!(leases.iter().any(|lease| lease.near() == 0), "more than a byte can number");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for n in 0..32 {
                    for lease in &leases {
                        call(lease, &clock, n);
                    }
                }
            });
        }
    });
    for lease in &leases {
        let totals = read(lease);
        check(&totals, &totals);
        assert_eq!((totals.started, totals.ended()), (64, 64));
    }
}

/// If the time stamp counter is not trusted, calls of a call site use the fallback.
#[test]
fn a_call_that_began_with_the_fallback_is_recorded_to_the_threads_shard() {
    let lease = CallSeriesLease::new(&[1.0], 3, Clock::System.scale());
    for flagged in [false, true] {
        let running = RunInProgress::start(lease.0, &Clock::System).on_fallback();
        let running = if flagged { running.flagged() } else { running };
        assert_eq!(running.is_flagged(), flagged);
        assert!(!running.end_quickly_by_time_stamp() && !running.end_quickly_anywhere_by_time_stamp());
        running.end_site(GOOD);
    }
    let totals = read(&lease);
    assert_eq!(
        (totals.under_way(), &totals.outcomes[..], &totals.buckets[..]),
        (0, &[2, 0, 0][..], &[2, 0, 0][..])
    );
    assert!(Clock::System.scale().duration(totals.sum) < Duration::from_secs(1));
}

const LEAPT: u64 = 1_000_000_000_000;

/// Ends a call at `now` on a new thread, which the next such thread succeeds as owner of its shard.
fn end_at(lease: &CallSeriesLease, clock: &Clock, now: u64, ending: Ending) {
    let run = || {
        NOW.set(now);
        STEP.set(QUICK);
        end(lease.start(clock), clock, ending);
    };
    std::thread::scope(|scope| scope.spawn(run).join().expect("it ran"));
}

#[test]
fn a_timestamp_of_a_counter_that_jumped_hides_no_correct_one_and_does_not_return() {
    let (lease, clock) = (lease(), clock());
    let running = lease.start(&clock);
    end_at(&lease, &clock, 1_000, GOOD);
    end_at(&lease, &clock, LEAPT, SKIPPED);
    let totals = read_until(&lease, 5_000);
    assert_eq!((totals.good_at, totals.fresh_at), (1_000 + 2 * QUICK, 1_000 + 2 * QUICK));
    assert_eq!(totals.ended_at, 1_000 + 2 * QUICK, "the skip jumped");
    end_at(&lease, &clock, 2_000, SKIPPED);
    assert_eq!(read(&lease).ended_at, 2_000 + 2 * QUICK, "it returned");
    end(running, &clock, GOOD);
}

#[test]
fn a_timestamp_of_a_counter_that_jumped_is_removed_from_the_shared_shard() {
    let (lease, clock) = (lease(), clock());
    let record = |now| {
        NOW.set(now);
        STEP.set(QUICK);
        let _inside = crate::lock::enter();
        end(lease.start(&clock), &clock, GOOD);
    };
    record(LEAPT);
    assert_eq!(read_until(&lease, 5_000).good_at, 0);
    record(1_000);
    let totals = read(&lease);
    assert_eq!((totals.good_at, totals.ended_at), (1_000 + 2 * QUICK, 1_000 + 2 * QUICK));
    assert_eq!(totals.ended(), 2);
}

#[test]
fn recordings_without_a_place_are_counted_as_lost() {
    use super::spare::lost;
    let clock = clock();
    STEP.set(QUICK);
    let leases: Vec<_> = (0..40).map(|_| lease()).collect();
    let before = lost();
    let record = || {
        let _inside = crate::lock::enter();
        for lease in &leases {
            end(lease.start(&clock), &clock, GOOD);
        }
    };
    // A new thread, which has no shard.
    std::thread::scope(|scope| scope.spawn(record).join().expect("it ran"));
    let counted: u64 = leases.iter().map(|lease| read(lease).started).sum();
    assert_eq!(counted + lost() - before, 40);
    assert!(counted < 40, "the reserve is bounded");
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Dropped after its thread has released its shards, when another thread owns them.
struct Last {
    guard: Option<Box<dyn Any>>,
    taken: Arc<Barrier>,
}

impl Drop for Last {
    fn drop(&mut self) {
        // The other thread starts, and has started.
        self.taken.wait();
        self.taken.wait();
        drop(self.guard.take());
        self.taken.wait();
    }
}

/// Lets a thread-local destructor drop a guard while another thread, which now owns the shard in which the guard
/// began, has its own guard.
pub(crate) fn drop_guard_while_another_has_its_share(start: fn() -> Box<dyn Any>) {
    let taken = Arc::new(Barrier::new(2));
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            taken.wait();
            let guard = start();
            taken.wait();
            taken.wait();
            drop(guard);
        });
        let ending = scope.spawn(|| {
            // Destructors run in reverse order of registration, so this one is registered before the shards'.
            LAST.with_borrow_mut(|last| *last = Some(Last { guard: None, taken: Arc::clone(&taken) }));
            let guard = start();
            LAST.with_borrow_mut(|last| last.as_mut().expect("it is there").guard = Some(guard));
        });
        // The thread sanitizer understands a join, but not how a scope waits.
        for thread in [other, ending] {
            thread.join().expect("no panic");
        }
    });
}
