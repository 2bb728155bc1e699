//! What a scrape tells, series by series, to whoever spells or keeps it.

use super::Receipt;
use crate::catalogue::Family;

/// Takes the series of a scrape, one after the other.
///
/// The series of one family come in the order of their label values, no two with the same. Families come in any order,
/// but for those that are [opened](Self::open).
pub(crate) trait Sink {
    /// Whether anybody reads what is said of `family`.
    fn includes(&self, family: &Family) -> bool;

    /// Where series are noted that a reader will have seen, if one receives what is said. Others may read it as often as
    /// they like, and no counts are seen.
    fn receipt(&mut self) -> Option<&mut Receipt> {
        None
    }

    /// None come any more of the families before `family`, in the order in which they are exported. What comes of it now
    /// needs no memory: for families that may have thousands of series.
    fn open(&mut self, family: &'static Family);

    /// Nothing is locked now: who passes on what was told may wait for it to be taken.
    fn rest(&mut self) {}

    /// One series of `family`, with the values of its labels in the order of [`Family::labels`].
    fn sample(&mut self, family: &'static Family, labels: &[&str], value: Reading<'_>);
}

/// What was read of one series, by kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading<'a> {
    Counter(u64),
    /// A counter's that counts time.
    Seconds(f64),
    Gauge(f64),
    Histogram {
        /// Observations by bucket, the last one being those beyond all bounds.
        buckets: &'a [u64],
        /// In the unit of the bounds.
        sum: f64,
    },
}

impl dyn Sink + '_ {
    pub(crate) fn counter(&mut self, family: &'static Family, labels: &[&str], value: u64) {
        self.sample(family, labels, Reading::Counter(value));
    }

    pub(crate) fn seconds(&mut self, family: &'static Family, labels: &[&str], value: f64) {
        self.sample(family, labels, Reading::Seconds(value));
    }

    pub(crate) fn gauge(&mut self, family: &'static Family, labels: &[&str], value: f64) {
        self.sample(family, labels, Reading::Gauge(value));
    }

    pub(crate) fn histogram(&mut self, family: &'static Family, labels: &[&str], buckets: &[u64], sum: f64) {
        self.sample(family, labels, Reading::Histogram { buckets, sum });
    }
}
