//! The words of a histogram that threads without words of their own borrow.

use std::sync::Arc;

use super::single_writer::Writer;
use super::sync::AtomicU64;
use super::{become_writer, observed};

/// `observations` by each of some writers, and several at once by each, while another thread reads once.
pub(super) fn check(writers: usize, observations: u64, preemptions: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let words: Vec<_> = (0..observed::words(2)).map(|_| AtomicU64::new(0)).collect();
        let shared = Arc::new((Writer::new(0), words));
        let writers: Vec<_> = (0..writers)
            .map(|writer| {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || {
                    become_writer();
                    let (owner, words) = &*shared;
                    let record = || {
                        (0..observations).for_each(|_| observed::observe(words, writer % 2, [1.0, 8.0][writer % 2]));
                        observed::add(words, &[1, 1], 9.0);
                    };
                    assert!(owner.borrow(writer as u64 + 1, record));
                })
            })
            .collect();
        let read = || {
            let mut buckets = [0; 2];
            let (sum, undisturbed) = observed::read(&shared.1, &mut buckets);
            undisturbed.then(|| {
                let counted = |bucket: usize| f64::from(u32::try_from(buckets[bucket]).expect("a few"));
                assert_eq!(sum.value(), counted(0) + 8.0 * counted(1), "torn");
                buckets[0] + buckets[1]
            })
        };
        read();
        let number = (observations + 2) * writers.len() as u64;
        for writer in writers {
            writer.join().expect("it does not panic");
        }
        assert_eq!(read(), Some(number), "the writers have ended");
    });
}
