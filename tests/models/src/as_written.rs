//! A shard under loom as it is written: its writer loads, adds and stores.

use std::sync::Arc;

mod sync {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering, fence};
}
#[path = "../../../metrics-core/src/storage/shard.rs"]
mod shard;
#[path = "../../../metrics-core/src/storage/totals.rs"]
mod totals;

include!("shard_model.rs");

fn become_writer() {}

#[test]
fn two_quick_ends() {
    check_quick();
}

fn check_quick() {
    loom::model(|| {
        let shard = Arc::new(new_shard());
        let writer = loom::thread::spawn({
            let shard = Arc::clone(&shard);
            move || {
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

#[test]
fn one_thread_after_the_other() {
    check_succession();
}

#[test]
fn quick_and_other_ends() {
    check(3, 2);
}
