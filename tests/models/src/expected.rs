//! The states that a reader may see: the first few ends or observations, each complete.

/// Outcome, bucket and ticks of the ends that the modelled writer records, in this order.
pub(crate) const ENDS: [(usize, usize, u64); 4] = [(0, 0, 1), (1, 1, 5), (0, 0, 2), (1, 2, 0)];

/// Counts by outcome, counts by bucket, and the sum of ticks after this many `ends`.
pub(crate) fn after(ends: usize) -> (Vec<u64>, Vec<u64>, u128) {
    let (mut outcomes, mut buckets, mut sum) = (vec![0; 2], vec![0; 3], 0);
    for (outcome, bucket, took) in ENDS.into_iter().take(ends) {
        outcomes[outcome] += 1;
        buckets[bucket] += 1;
        sum += u128::from(took);
    }
    (outcomes, buckets, sum)
}

/// The number of ends that these totals contain.
pub(crate) fn ends(outcomes: &[u64], buckets: &[u64], sum: u128) -> usize {
    let ends = usize::try_from(outcomes.iter().sum::<u64>()).expect("a few");
    let seen = (outcomes.to_vec(), buckets.to_vec(), sum);
    assert!(ends <= ENDS.len() && seen == after(ends), "torn: {seen:?}");
    ends
}

/// Bucket and value of the observations that the modelled writer records, in this order.
pub(crate) const OBSERVATIONS: [(usize, f64); 4] = [(0, 1.0), (1, 8.0), (0, 0.5), (1, 16.0)];

/// The number of observations that these totals contain.
pub(crate) fn observations(buckets: &[u64], sum: f64) -> usize {
    let number = usize::try_from(buckets.iter().sum::<u64>()).expect("a few");
    let (mut expected, mut expected_sum) = (vec![0; 2], 0.0);
    for (bucket, value) in OBSERVATIONS.into_iter().take(number) {
        expected[bucket] += 1;
        expected_sum += value;
    }
    let is_whole = number <= OBSERVATIONS.len() && buckets == expected && sum == expected_sum;
    assert!(is_whole, "torn: {buckets:?} {sum}");
    number
}
