//! The observations shared by threads that have no words of their own.

use std::sync::Arc;

use super::become_writer;
use super::shared_observed::SharedObserved;

/// `observations` by each of some writers while another thread reads once.
pub(super) fn check(writers: usize, observations: u64, preemptions: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let shared = Arc::new(SharedObserved::new(2));
        let writers: Vec<_> = (0..writers)
            .map(|writer| {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || {
                    become_writer();
                    (0..observations).for_each(|_| shared.observe(writer % 2, [1.0, 8.0][writer % 2]));
                })
            })
            .collect();
        let read = || {
            let mut buckets = [0; 2];
            let (sum, undisturbed) = shared.read(&mut buckets);
            undisturbed.then(|| {
                let counted = |bucket: usize| f64::from(u32::try_from(buckets[bucket]).expect("a few"));
                assert_eq!(sum.value(), counted(0) + 8.0 * counted(1), "torn");
                buckets[0] + buckets[1]
            })
        };
        read();
        let number = observations * writers.len() as u64;
        for writer in writers {
            writer.join().expect("it does not panic");
        }
        assert_eq!(read(), Some(number), "the writers have ended");
    });
}
