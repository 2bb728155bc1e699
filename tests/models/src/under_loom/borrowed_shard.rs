//! The fallback shard, which threads without one of their own borrow.

use std::sync::Arc;

use super::shard::{EndedCall, Shard};
use super::sync::AtomicU64;
use super::{become_writer, totals};

/// `ends` by each of some writers while another thread reads once.
pub(super) fn check(writers: usize, ends: u64, preemptions: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let counts = Vec::leak((0..2).map(|_| AtomicU64::new(0)).collect::<Vec<_>>());
        let shared: Arc<Shard<()>> = Arc::new(Shard::new(1, counts, 0, 0, ((), 0)));
        let end = EndedCall { began: Some(3), at: 10, took: 7, outcome: 0, bucket: 0, freshens: false };
        let writers: Vec<_> = (1..=writers)
            .map(|writer| {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || {
                    become_writer();
                    for _ in 0..ends {
                        let record = || {
                            shared.start(3);
                            shared.end(&end);
                        };
                        assert!(shared.writer.borrow(writer as u64, record));
                    }
                })
            })
            .collect();
        let read = || {
            let mut totals = totals::Totals::default();
            shared.read(&mut totals, u64::MAX).then(|| {
                let ended = totals.outcomes[0];
                assert_eq!((totals.buckets[0], totals.sum), (ended, u128::from(ended) * 7), "torn");
                totals
            })
        };
        read();
        let number = ends * writers.len() as u64;
        for writer in writers {
            writer.join().expect("it does not panic");
        }
        let totals = read().expect("the writers have ended");
        assert_eq!((totals.outcomes[0], totals.started, totals.open, totals.good_at), (number, number, 0, 10));
    });
}
