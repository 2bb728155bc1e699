//! Shards and the share of those who have none, under shuttle.

use std::sync::Arc;

mod sync {
    pub(super) use shuttle::sync::atomic::{AtomicU64, Ordering, fence};
}
#[path = "../../../metrics-core/src/storage/shard.rs"]
mod shard;
#[path = "../../../metrics-core/src/storage/shared.rs"]
mod shared;
#[path = "../../../metrics-core/src/storage/totals.rs"]
mod totals;

use self::shard::{End, Shard};
use self::shared::Shared;
use self::sync::AtomicU64;
use crate::expected;

const RUNS: usize = 20_000;

fn counts() -> &'static [AtomicU64] {
    Vec::leak((0..5).map(|_| AtomicU64::new(0)).collect())
}

#[test]
fn a_shards_reader_sees_each_end_wholly_or_not_at_all() {
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
                            shard.end(&End { began: 0, at, took, outcome, bucket, freshens: false });
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
fn the_shared_share_loses_nothing_and_is_read_between_ends() {
    shuttle::check_random(
        || {
            let shared = Arc::new(Shared::new(2, counts()));
            let end = End { began: 0, at: 1, took: 7, outcome: 1, bucket: 2, freshens: false };
            let writers: Vec<_> = (0..3)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    shuttle::thread::spawn(move || (0..2).for_each(|_| shared.end(&end)))
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
