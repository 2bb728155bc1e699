//! What was recorded of a series, by one thread or by all.

/// Counts and ticks; of the same shape wherever they belong to one series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) started: u64,
    /// Ends by outcome.
    pub(crate) outcomes: Vec<u64>,
    /// Ends by bucket, the last entry being what is not observed.
    pub(crate) buckets: Vec<u64>,
    /// Ticks.
    pub(crate) sum: u128,
    /// The tick of the last good end, 0 before the first; so with the others.
    pub(crate) good_at: u64,
    /// Of the last end that freshens, the good ones included.
    pub(crate) fresh_at: u64,
    /// At which a call last began or ended.
    pub(crate) active_at: u64,
}

impl Totals {
    pub(super) const EMPTY: Self = Self {
        started: 0,
        outcomes: Vec::new(),
        buckets: Vec::new(),
        sum: 0,
        good_at: 0,
        fresh_at: 0,
        active_at: 0,
    };

    pub(super) fn new(outcomes: usize, buckets: usize) -> Self {
        Self { outcomes: vec![0; outcomes], buckets: vec![0; buckets], ..Self::EMPTY }
    }

    /// Ends, however they ended.
    pub(crate) fn ended(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Calls under way. Where calls end on other threads than they began on while the threads' shares are read one
    /// after the other, it is off by as many at most.
    pub(crate) fn under_way(&self) -> u64 {
        self.started.saturating_sub(self.ended())
    }

    /// What was observed, by bucket.
    pub(crate) fn observed(&self) -> &[u64] {
        self.buckets.split_last().map_or(&[], |(_not_observed, buckets)| buckets)
    }

    pub(super) fn note_stamps(&mut self, [began, good, fresh, ended]: [u64; 4]) {
        self.good_at = good;
        self.fresh_at = good.max(fresh);
        self.active_at = began.max(ended).max(self.fresh_at);
    }

    pub(super) fn until(mut self, horizon: u64) -> Self {
        for stamp in [&mut self.good_at, &mut self.fresh_at, &mut self.active_at] {
            if *stamp > horizon {
                *stamp = 0;
            }
        }
        self
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.started = self.started.wrapping_add(other.started);
        for (mine, theirs) in self.outcomes.iter_mut().zip(&other.outcomes) {
            *mine = mine.wrapping_add(*theirs);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine = mine.wrapping_add(*theirs);
        }
        self.sum = self.sum.wrapping_add(other.sum);
        self.good_at = self.good_at.max(other.good_at);
        self.fresh_at = self.fresh_at.max(other.fresh_at);
        self.active_at = self.active_at.max(other.active_at);
    }
}
