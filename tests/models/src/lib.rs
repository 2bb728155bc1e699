//! The lock-free parts of bot-metrics under two model checkers: loom, which tries every order of a few steps and every
//! value that the memory model allows, and shuttle, which tries many random orders of many steps.
//!
//! `cargo test --manifest-path tests/models/Cargo.toml` takes less than a minute. The code that is checked is the
//! library's own files with other atomics; nothing is copied.

// Each model uses a part of what the files offer.
#![allow(dead_code)]

#[cfg(test)]
mod as_written;
#[cfg(test)]
mod random;
#[cfg(test)]
mod stores_alone;

#[cfg(test)]
mod expected {
    //! What a reader may see: some first ends, wholly.

    /// Outcome, bucket and ticks of the ends that the modelled writer makes, in this order.
    pub(crate) const ENDS: [(usize, usize, u64); 4] = [(0, 0, 1), (1, 1, 5), (0, 0, 2), (1, 2, 0)];

    /// Counts by outcome, by bucket, and ticks after `ends` of them.
    pub(crate) fn after(ends: usize) -> (Vec<u64>, Vec<u64>, u128) {
        let (mut outcomes, mut buckets, mut sum) = (vec![0; 2], vec![0; 3], 0);
        for (outcome, bucket, took) in ENDS.into_iter().take(ends) {
            outcomes[outcome] += 1;
            buckets[bucket] += 1;
            sum += u128::from(took);
        }
        (outcomes, buckets, sum)
    }

    /// How many ends that is.
    pub(crate) fn ends(outcomes: &[u64], buckets: &[u64], sum: u128) -> usize {
        let ends = usize::try_from(outcomes.iter().sum::<u64>()).expect("a few");
        let seen = (outcomes.to_vec(), buckets.to_vec(), sum);
        assert!(ends <= ENDS.len() && seen == after(ends), "torn: {seen:?}");
        ends
    }
}
