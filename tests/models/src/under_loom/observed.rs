//! A thread's observations of a histogram.

use std::sync::Arc;

use super::sync::AtomicU64;
use super::{become_writer, observed};
use crate::expected::{self, OBSERVATIONS};

fn read(words: &[AtomicU64]) -> Option<usize> {
    let mut buckets = [0; 2];
    let (sum, undisturbed) = observed::read(words, &mut buckets);
    undisturbed.then(|| expected::observations(&buckets, sum.value()))
}

/// This many observations by one thread while another reads twice.
pub(super) fn check(observations: usize, preemptions: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let words: Arc<Vec<_>> = Arc::new((0..observed::words(2)).map(|_| AtomicU64::new(0)).collect());
        let writer = loom::thread::spawn({
            let words = Arc::clone(&words);
            move || {
                become_writer();
                for (bucket, value) in OBSERVATIONS.into_iter().take(observations) {
                    observed::observe(&words, bucket, value);
                }
            }
        });
        let (first, second) = (read(&words), read(&words));
        if let (Some(first), Some(second)) = (first, second) {
            assert!(first <= second, "it fell");
        }
        writer.join().expect("it does not panic");
        assert_eq!(read(&words), Some(observations), "the writer has ended");
    });
}
