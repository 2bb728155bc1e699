//! A thread's shard of a series.

use std::sync::Arc;

use super::shard::{EndedCall, Shard};
use super::sync::AtomicU64;
use super::{become_writer, totals};
use crate::expected;

fn new_shard() -> Shard<()> {
    let counts = Vec::leak((0..5).map(|_| AtomicU64::new(0)).collect::<Vec<_>>());
    Shard::new(2, counts, 3, 1, ((), 1))
}

fn write(shard: &Shard<()>, ends: usize) {
    for (at, (outcome, bucket, took)) in (1..).zip(expected::ENDS.into_iter().take(ends)) {
        if outcome == 0 {
            shard.end_quickly(0, took, at);
        } else {
            shard.end(&EndedCall { began: Some(0), at, took, outcome, bucket, freshens: false });
        }
    }
}

fn read(shard: &Shard<()>) -> Option<usize> {
    let mut totals = totals::Totals::default();
    let undisturbed = shard.read(&mut totals, u64::MAX);
    undisturbed.then(|| expected::ends(&totals.outcomes, &totals.buckets, totals.sum))
}

/// One end by each of two threads that own the shard one after the other, while another reads twice.
pub(super) fn check_succession() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let shard = Arc::new(new_shard());
        let first = loom::thread::spawn({
            let shard = Arc::clone(&shard);
            move || {
                write(&shard, 1);
                shard.writer.give_back();
            }
        });
        let second = loom::thread::spawn({
            let shard = Arc::clone(&shard);
            move || {
                let taken = shard.writer.take(2);
                if taken {
                    let (outcome, bucket, took) = expected::ENDS[1];
                    shard.end(&EndedCall { began: Some(0), at: 2, took, outcome, bucket, freshens: false });
                }
                taken
            }
        });
        let before = read(&shard);
        let after = read(&shard);
        if let (Some(before), Some(after)) = (before, after) {
            assert!(before <= after, "it fell");
        }
        first.join().expect("it does not panic");
        let taken = second.join().expect("it does not panic");
        assert_eq!(read(&shard), Some(if taken { 2 } else { 1 }));
    });
}

/// `ends` by one thread while another reads twice.
pub(super) fn check(ends: usize, preemptions: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let shard = Arc::new(new_shard());
        let writer = loom::thread::spawn({
            let shard = Arc::clone(&shard);
            move || {
                become_writer();
                write(&shard, ends);
            }
        });
        let first = read(&shard);
        let second = read(&shard);
        if let (Some(first), Some(second)) = (first, second) {
            assert!(first <= second, "it fell");
        }
        writer.join().expect("it does not panic");
        assert_eq!(read(&shard), Some(ends), "the writer has ended");
    });
}

/// No call in progress ever seems older than it is, whichever calls begin and end meanwhile.
pub(super) fn check_calls_under_way() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let shard = Arc::new(new_shard());
        let writer = loom::thread::spawn({
            let shard = Arc::clone(&shard);
            move || {
                become_writer();
                shard.start(50);
                shard.end_quickly(50, 1, 51);
                shard.start(70);
                shard.end(&EndedCall { began: Some(70), at: 75, took: 5, outcome: 1, bucket: 1, freshens: false });
            }
        });
        let mut totals = totals::Totals::default();
        if shard.read(&mut totals, u64::MAX) {
            assert!(totals.open_for(80).is_none_or(|ticks| ticks <= 30), "{totals:?}");
        }
        writer.join().expect("it does not panic");
        assert!(shard.read(&mut totals, u64::MAX));
        assert_eq!(totals.open_for(80), None);
    });
}

/// Two ends, each of two stores, announced only by the count.
pub(super) fn check_quick() {
    loom::model(|| {
        let shard = Arc::new(new_shard());
        let writer = loom::thread::spawn({
            let shard = Arc::clone(&shard);
            move || {
                become_writer();
                shard.end_quickly(0, 1, 1);
                shard.end_quickly(0, 2, 2);
            }
        });
        let mut totals = totals::Totals::default();
        if shard.read(&mut totals, u64::MAX) {
            let sums = [0, 1, 3];
            assert_eq!(totals.sum, sums[usize::try_from(totals.outcomes[0]).expect("two at most")]);
        }
        writer.join().expect("it does not panic");
    });
}
