//! The interface between a scrape and the encoders and snapshots that consume it, series by series.

use std::fmt::Debug;
use std::sync::Arc;

use crate::catalogue::Family;
use crate::clock::Created;
use crate::exemplars::Exemplars;

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
    fn open(&mut self, _family: &'static Family) {}

    /// Called while no lock is held, so that the sink may wait until its output is accepted.
    fn rest(&mut self) {}

    /// The counts of the next series began at this time; without this, they began with the instance.
    fn since(&mut self, _created: Created) {}

    /// The exemplars of the next series, which is one of `family`. Called once for each of the series that are merged
    /// into it.
    fn exemplars(&mut self, _family: &Family, _exemplars: &Exemplars) {}

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

/// A number as the value of a gauge. Those of one process are far below 2^53, up to which it is exact.
#[expect(clippy::cast_precision_loss, reason = "the rounding error of larger numbers is of no importance")]
pub(crate) fn to_f64(number: u64) -> f64 {
    number as f64
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

/// A series that stores which of its counts a reader has received.
pub(crate) trait Seen: Debug + Send + Sync {
    /// Notes that a reader has received the contents of the series at this [version](super::Slot::mark).
    fn note_seen(&self, mark: u64);
}

/// The series in one exposition whose counts no reader is known to have received yet. Dropped unconfirmed, they stay
/// in that state.
#[derive(Debug, Default)]
#[must_use = "counts are seen only once their receipt is confirmed"]
pub(crate) struct Receipt(Vec<(Arc<dyn Seen>, u64)>);

/// The initial capacity, so that a scrape with a few such series does not allocate for each.
const ROOM: usize = 1_000;

impl Receipt {
    pub(crate) fn add(&mut self, series: Arc<dyn Seen>, mark: u64) {
        if self.0.len() == self.0.capacity() {
            self.0.reserve(ROOM);
        }
        self.0.push((series, mark));
    }

    /// Notes that a reader has received the whole exposition.
    pub(crate) fn confirm(self) {
        for (series, mark) in self.0 {
            series.note_seen(mark);
        }
    }
}
