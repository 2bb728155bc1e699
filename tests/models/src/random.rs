//! All parts under shuttle: many random orders of many steps, with sequentially consistent memory.

use std::sync::Arc;

mod sync {
    pub(super) use shuttle::sync::atomic::{AtomicU64, Ordering, fence};
    pub(super) use shuttle::thread::yield_now;

    /// The standard library's `OnceLock`, with one of shuttle's atomics in it.
    mod once_lock {
        use shuttle::sync::atomic::{AtomicPtr, Ordering};

        include!("once_lock.rs");
    }
    pub(super) use once_lock::OnceLock;
}
include!("sources.rs");

use self::chain::List;
use self::element::{append, values};
use self::place::EventRecord;
use self::shard::{EndedCall, Shard};
use self::single_writer::Writer;
use self::sync::AtomicU64;
use self::sync::Ordering::Relaxed;
use crate::expected;

const RUNS: usize = 20_000;

fn counts() -> &'static [AtomicU64] {
    Vec::leak((0..5).map(|_| AtomicU64::new(0)).collect())
}

#[test]
fn a_reader_of_a_shard_sees_each_end_completely_or_not_at_all() {
    shuttle::check_random(
        || {
            let shard: Arc<Shard<()>> = Arc::new(Shard::new(2, counts(), 3, 1, ((), 1)));
            let writer = shuttle::thread::spawn({
                let shard = Arc::clone(&shard);
                move || {
                    for (at, (outcome, bucket, took)) in (1..).zip(expected::ENDS) {
                        if outcome == 0 {
                            shard.end_quickly(0, took, at);
                        } else {
                            shard.end(&EndedCall { began: Some(0), at, took, outcome, bucket, freshens: false });
                        }
                    }
                }
            });
            let mut before = 0;
            for _ in 0..3 {
                let mut totals = totals::Totals::default();
                if shard.read(&mut totals, u64::MAX) {
                    let ends = expected::ends(&totals.outcomes, &totals.buckets, totals.sum);
                    assert!(before <= ends, "it fell");
                    before = ends;
                }
            }
            writer.join().expect("it does not panic");
        },
        RUNS,
    );
}

#[test]
fn a_borrowed_shard_loses_nothing_and_is_read_between_ends() {
    shuttle::check_random(
        || {
            let shared: Arc<Shard<()>> = Arc::new(Shard::new(2, counts(), 0, 0, ((), 0)));
            let end = EndedCall { began: Some(0), at: 1, took: 7, outcome: 1, bucket: 2, freshens: false };
            let writers: Vec<_> = (1..4)
                .map(|writer| {
                    let shared = Arc::clone(&shared);
                    shuttle::thread::spawn(move || {
                        (0..2).for_each(|_| assert!(shared.writer.borrow(writer, || shared.end(&end))));
                    })
                })
                .collect();
            let read = || {
                let mut totals = totals::Totals::default();
                if !shared.read(&mut totals, u64::MAX) {
                    return None;
                }
                let ends = totals.outcomes[1];
                assert_eq!((totals.buckets[2], totals.sum), (ends, u128::from(ends) * 7));
                Some(ends)
            };
            read();
            for writer in writers {
                writer.join().expect("it does not panic");
            }
            assert_eq!(read(), Some(6));
        },
        RUNS,
    );
}

#[test]
fn a_reader_of_observations_sees_each_completely_or_not_at_all() {
    shuttle::check_random(
        || {
            let words: Arc<Vec<_>> = Arc::new((0..observed::words(2)).map(|_| AtomicU64::new(0)).collect());
            let writer = shuttle::thread::spawn({
                let words = Arc::clone(&words);
                move || {
                    for (bucket, value) in expected::OBSERVATIONS {
                        observed::observe(&words, bucket, value);
                    }
                }
            });
            let mut before = 0;
            for _ in 0..3 {
                let mut buckets = [0; 2];
                if let (sum, true) = observed::read(&words, &mut buckets) {
                    let number = expected::observations(&buckets, sum.value());
                    assert!(before <= number, "it fell");
                    before = number;
                }
            }
            writer.join().expect("it does not panic");
        },
        RUNS,
    );
}

#[test]
fn borrowed_words_lose_nothing_and_are_read_between_two_observations() {
    shuttle::check_random(
        || {
            let words: Vec<_> = (0..observed::words(2)).map(|_| AtomicU64::new(0)).collect();
            let shared = Arc::new((Writer::new(0), words));
            let writers: Vec<_> = (0..3)
                .map(|writer: usize| {
                    let shared = Arc::clone(&shared);
                    shuttle::thread::spawn(move || {
                        let (owner, words) = &*shared;
                        let record = || match writer {
                            0 => observed::add(words, &[2, 1], 10.0),
                            _ => observed::observe(words, writer % 2, [1.0, 8.0][writer % 2]),
                        };
                        (0..2).for_each(|_| assert!(owner.borrow(writer as u64 + 1, record)));
                    })
                })
                .collect();
            let read = || {
                let mut buckets = [0; 2];
                let (sum, undisturbed) = observed::read(&shared.1, &mut buckets);
                undisturbed.then_some((buckets, sum.value()))
            };
            for _ in 0..3 {
                if let Some(([one, eight], sum)) = read() {
                    assert_eq!(sum, [one, 8 * eight].map(|part| part as f64).iter().sum::<f64>());
                }
            }
            for writer in writers {
                writer.join().expect("it does not panic");
            }
            assert_eq!(read(), Some(([6, 4], 38.0)));
        },
        RUNS,
    );
}

#[test]
fn a_count_goes_from_thread_to_thread_without_loss() {
    shuttle::check_random(
        || {
            let memory = Arc::new((Writer::new(0), AtomicU64::new(0)));
            let writers: Vec<_> = (1..4)
                .map(|thread| {
                    let memory = Arc::clone(&memory);
                    shuttle::thread::spawn(move || {
                        let taken = memory.0.take(thread);
                        if taken {
                            assert_eq!(memory.0.thread(), thread);
                            (0..2).for_each(|_| single_writer::add(&memory.1, 1));
                            memory.0.give_back();
                        }
                        taken
                    })
                })
                .collect();
            let (before, after) = (memory.1.load(Relaxed), memory.1.load(Relaxed));
            assert!(before <= after, "it fell");
            let wrote =
                writers.into_iter().filter_map(|writer| writer.join().ok().filter(|taken| *taken)).count();
            assert_eq!(memory.1.load(Relaxed), 2 * wrote as u64);
        },
        RUNS,
    );
}

/// The writers of four events that share a slot, in any order of arrival.
#[test]
fn an_event_is_read_completely_or_not_at_all_and_one_remains() {
    shuttle::check_random(
        || {
            let place = Arc::new(EventRecord::<3>::new());
            let write = |place: &EventRecord<3>, number| {
                place.write(number, [number, 10 * number, 100 * number].into_iter());
            };
            let read = |number| {
                place.read(number).map(|words| assert_eq!(words, [number, 10 * number, 100 * number]))
            };
            let writers: Vec<_> = (1..5)
                .map(|number| {
                    let place = Arc::clone(&place);
                    shuttle::thread::spawn(move || write(&place, number))
                })
                .collect();
            for number in 1..5 {
                read(number);
            }
            for writer in writers {
                writer.join().expect("it does not panic");
            }
            assert_eq!((1..5).filter_map(read).count(), 1);
            write(&place, 6);
            write(&place, 5);
            assert_eq!((read(6), read(5)), (Some(()), None), "the later one stays");
        },
        RUNS,
    );
}

#[test]
fn a_list_that_four_append_to_loses_nothing_and_never_changes_its_beginning() {
    shuttle::check_random(
        || {
            let list: &'static _ = Box::leak(Box::new(List::new()));
            let writers: Vec<_> = (1..5)
                .map(|value| shuttle::thread::spawn(move || append(list, value)))
                .collect();
            let (before, after) = (values(list), values(list));
            assert!(after.starts_with(&before), "{before:?}, then {after:?}");
            for writer in writers {
                writer.join().expect("it does not panic");
            }
            let mut all = values(list);
            all.sort_unstable();
            assert_eq!(all, [1, 2, 3, 4]);
        },
        RUNS,
    );
}
