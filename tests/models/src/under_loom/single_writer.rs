//! A count whose single writer changes from one thread to the next.

use std::sync::Arc;

use super::single_writer::{self, Writer};
use super::sync::{AtomicU64, Ordering::Relaxed};
use super::become_writer;

/// Two threads that both try to become the writer: one of them finds it taken, or continues after the other, while a
/// third reads twice.
pub(super) fn check() {
    loom::model(|| {
        let memory = Arc::new((Writer::new(1), AtomicU64::new(0)));
        let adds = |memory: &(Writer, AtomicU64)| {
            become_writer();
            single_writer::add(&memory.1, 1);
            single_writer::add(&memory.1, 1);
            memory.0.give_back();
        };
        let first = loom::thread::spawn({
            let memory = Arc::clone(&memory);
            move || adds(&memory)
        });
        let second = loom::thread::spawn({
            let memory = Arc::clone(&memory);
            move || {
                let taken = memory.0.take(2);
                if taken {
                    adds(&memory);
                }
                taken
            }
        });
        let (before, after) = (memory.1.load(Relaxed), memory.1.load(Relaxed));
        assert!(before <= after, "it fell from {before} to {after}");
        first.join().expect("it does not panic");
        let taken = second.join().expect("it does not panic");
        assert_eq!(memory.1.load(Relaxed), if taken { 4 } else { 2 });
    });
}
