//! The interface between a scrape and the encoders and snapshots that consume it, series by series.

use super::Receipt;
use crate::catalogue::Family;

/// Receives the series of a scrape, one at a time.
///
/// The series of one family come in the order of their label values, no two with the same. Families come in any
/// order, except those that are [opened](Self::open).
pub(crate) trait Sink {
    /// Whether the series of `family` are used.
    fn includes(&self, family: &Family) -> bool;

    /// The receipt for removable series, if a reader may receive the output. For other output it is `None`: reading
    /// such output any number of times does not mark counts as received.
    fn receipt(&mut self) -> Option<&mut Receipt> {
        None
    }

    /// Called when no more series come of the families before `family` in the order of export. Series of `family`
    /// that come from here on need no buffer; used for families that may have thousands of series.
    fn open(&mut self, family: &'static Family);

    /// Called while no lock is held, so that the sink may wait until its output is accepted.
    fn rest(&mut self) {}

    /// One series of `family`, with the values of its labels in the order of [`Family::labels`].
    fn sample(&mut self, family: &'static Family, labels: &[&str], value: Reading<'_>);
}

/// The value of one series, by kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading<'a> {
    Counter(u64),
    /// The value of a counter that is not a whole number.
    FloatCounter(f64),
    Gauge(f64),
    Histogram {
        /// Observations by bucket, the last one for values above all bounds.
        buckets: &'a [u64],
        /// In the unit of the bounds.
        sum: f64,
    },
}

impl dyn Sink + '_ {
    pub(crate) fn counter(&mut self, family: &'static Family, labels: &[&str], value: u64) {
        self.sample(family, labels, Reading::Counter(value));
    }

    pub(crate) fn float_counter(&mut self, family: &'static Family, labels: &[&str], value: f64) {
        self.sample(family, labels, Reading::FloatCounter(value));
    }

    pub(crate) fn gauge(&mut self, family: &'static Family, labels: &[&str], value: f64) {
        self.sample(family, labels, Reading::Gauge(value));
    }

    pub(crate) fn histogram(&mut self, family: &'static Family, labels: &[&str], buckets: &[u64], sum: f64) {
        self.sample(family, labels, Reading::Histogram { buckets, sum });
    }
}
