//! The totals of a series, of one thread or of all.

use std::mem::take;

/// Counts and ticks; all totals of one series have the same shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) started: u64,
    /// The wrapping sum of the ticks at which the calls in progress began.
    pub(super) open: u64,
    /// Whether it may include other calls than the counted ones.
    pub(super) unsure: bool,
    /// Ends by outcome.
    pub(crate) outcomes: Vec<u64>,
    /// Ends by bucket, the last entry for ends that are not observed.
    pub(crate) buckets: Vec<u64>,
    /// In ticks.
    pub(crate) sum: u128,
    /// The tick of the last success, 0 before the first; likewise below.
    pub(crate) good_at: u64,
    /// The tick of the last sign of life, including successes.
    pub(crate) fresh_at: u64,
    /// The tick of the last end of any kind.
    pub(crate) ended_at: u64,
}

impl Totals {
    /// Clears it and gives it this shape. Allocates only to become larger than ever before.
    pub(super) fn reset(&mut self, outcomes: usize, buckets: usize) {
        for (counts, len) in [(&mut self.outcomes, outcomes), (&mut self.buckets, buckets)] {
            counts.clear();
            counts.resize(len, 0);
        }
        let (outcomes, buckets) = (take(&mut self.outcomes), take(&mut self.buckets));
        *self = Self { outcomes, buckets, ..Self::default() };
    }

    /// The number of ends.
    pub(crate) fn ended(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// The number of calls in progress. If calls end on other threads than they began on while the shards are read
    /// one after the other, it is off by at most their number.
    pub(crate) fn under_way(&self) -> u64 {
        self.started.saturating_sub(self.ended())
    }

    /// The mean duration, in ticks at `now`, of the calls in progress: a lower bound for the oldest, and exact if
    /// there is only one. `None` if there are none.
    pub(crate) fn open_for(&self, now: u64) -> Option<u64> {
        // The upper half of the range means a negative number: a call began or ended during the reading.
        let all = Some(self.under_way().wrapping_mul(now).wrapping_sub(self.open));
        let all = all.filter(|all| *all <= u64::MAX / 2 && !self.unsure);
        all.unwrap_or(0).checked_div(self.under_way())
    }

    /// The observed ends, by bucket.
    pub(crate) fn observed(&self) -> &[u64] {
        self.buckets.split_last().map_or(&[], |(_not_observed, buckets)| buckets)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.started = self.started.wrapping_add(other.started);
        self.open = self.open.wrapping_add(other.open);
        self.unsure |= other.unsure;
        for (mine, theirs) in [(&mut self.outcomes, &other.outcomes), (&mut self.buckets, &other.buckets)] {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine = mine.wrapping_add(*theirs));
        }
        self.sum = self.sum.wrapping_add(other.sum);
        self.good_at = self.good_at.max(other.good_at);
        self.fresh_at = self.fresh_at.max(other.fresh_at);
        self.ended_at = self.ended_at.max(other.ended_at);
    }
}
