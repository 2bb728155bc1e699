//! What was recorded of a series, by one thread or by all.

/// Counts and ticks; of the same shape wherever they belong to one series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) started: u64,
    /// The ticks at which the calls under way began, summed up and wrapped.
    pub(super) open: u64,
    /// Whether that may be of other calls than those that are counted.
    pub(super) unsure: bool,
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
    /// Of the last end of any kind.
    pub(crate) ended_at: u64,
}

impl Totals {
    /// Makes it nothing, of this shape. It allocates only where it never was as large.
    pub(super) fn reset(&mut self, outcomes: usize, buckets: usize) {
        let (mut by_outcome, mut by_bucket) =
            (std::mem::take(&mut self.outcomes), std::mem::take(&mut self.buckets));
        for (counts, len) in [(&mut by_outcome, outcomes), (&mut by_bucket, buckets)] {
            counts.clear();
            counts.resize(len, 0);
        }
        *self = Self { outcomes: by_outcome, buckets: by_bucket, ..Self::default() };
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

    /// How many ticks the calls under way have lasted at `now`, on average: so long has the oldest lasted at least, and
    /// exactly so long where it is the only one. None are under way where there is no such number.
    pub(crate) fn open_for(&self, now: u64) -> Option<u64> {
        // Beyond half of what there is it is less than nothing: something began or ended while this was read.
        let all = Some(self.under_way().wrapping_mul(now).wrapping_sub(self.open));
        let all = all.filter(|all| *all <= u64::MAX / 2 && !self.unsure);
        all.unwrap_or(0).checked_div(self.under_way())
    }

    /// Forgets the calls under way, and returns how many there were, less than none where more ended than began, and
    /// the ticks at which they began.
    pub(super) fn forget_open(&mut self) -> (u64, u64) {
        let ended = self.ended();
        let calls = std::mem::replace(&mut self.started, ended).wrapping_sub(ended);
        (calls, std::mem::take(&mut self.open))
    }

    /// Adds so many calls under way.
    pub(super) fn add_open(&mut self, (calls, open): (u64, u64)) {
        self.started = self.started.wrapping_add(calls);
        self.open = self.open.wrapping_add(open);
    }

    /// What was observed, by bucket.
    pub(crate) fn observed(&self) -> &[u64] {
        self.buckets.split_last().map_or(&[], |(_not_observed, buckets)| buckets)
    }

    /// Stamps beyond `horizon` were left by a counter that leapt: the true ones beside them count.
    pub(super) fn note_stamps(&mut self, stamps: [u64; 3], horizon: u64) {
        let [good, fresh, ended] = stamps.map(|at| if at > horizon { 0 } else { at });
        self.good_at = good;
        self.fresh_at = good.max(fresh);
        self.ended_at = ended.max(self.fresh_at);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.started = self.started.wrapping_add(other.started);
        self.open = self.open.wrapping_add(other.open);
        self.unsure |= other.unsure;
        for (mine, theirs) in self.outcomes.iter_mut().zip(&other.outcomes) {
            *mine = mine.wrapping_add(*theirs);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine = mine.wrapping_add(*theirs);
        }
        self.sum = self.sum.wrapping_add(other.sum);
        self.good_at = self.good_at.max(other.good_at);
        self.fresh_at = self.fresh_at.max(other.fresh_at);
        self.ended_at = self.ended_at.max(other.ended_at);
    }
}
