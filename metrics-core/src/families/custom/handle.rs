//! The handles that a declared family's function returns. Without the feature `enable` they record nothing.

use std::sync::Arc;
use std::time::Duration;

use super::series::process_series;
use crate::clock::{self, Clock};
use crate::series::{Entry, EntryHandle};
use crate::storage::{Slot, lose, record_outside};

/// The destination of a handle's recordings. A fourth variant would turn the choice into a jump table, which takes seven
/// more instructions.
#[derive(Clone, Debug)]
pub(super) enum Handle {
    /// Recordings are discarded, and counted as lost if `is_lost`.
    None { is_lost: bool },
    /// A series whose labels all have a fixed set of values; it exists for ever.
    Closed(&'static Slot),
    /// A series with an open label. It may be removed; the next recording creates it again.
    Open(EntryHandle),
}

impl Handle {
    /// Recordings are disabled.
    pub(super) const NOWHERE: Self = Self::None { is_lost: false };

    /// For an allocator that requests the handle while this thread is inside a lock.
    pub(super) const LOST: Self = Self::None { is_lost: true };

    /// Applies `record` to the slot of the series.
    #[inline]
    fn record(&self, record: impl Fn(&Slot)) {
        match self {
            Self::Closed(slot) => record(slot),
            Self::Open(entry) => entry.record(record, look_up_again),
            Self::None { is_lost } => {
                if *is_lost {
                    lose();
                }
            }
        }
    }

    fn remove(&self) {
        match self {
            Self::None { .. } => {}
            Self::Closed(slot) => {
                // Makes a gauge absent; other kinds keep their value. The version matters only to a removable series.
                let _ = slot.retract();
            }
            Self::Open(entry) => {
                // An allocator that runs inside a lock cannot remove a series; that is counted as a lost recording.
                record_outside(|| process_series().remove(entry.entry(), Clock::System.boot_time()));
            }
        }
    }
}

fn look_up_again(entry: &Entry) -> Option<Arc<Entry>> {
    process_series().open_again(entry, Clock::System.boot_time())
}

/// A counter of a bot's own family. Clones share a series. If a label is open (a [`ProfileId`](crate::ProfileId) or
/// [`Symbol`](crate::Symbol)), keep a handle that is used often, because each call of the family's function looks up the
/// series. A handle whose label value is over the limit counts in the series "other", and in a series of its own once the
/// limit allows it.
#[derive(Clone, Debug)]
pub struct Counter(pub(super) Handle);

impl Counter {
    /// Adds one.
    #[doc(alias = "inc")]
    #[inline]
    pub fn increment(&self) {
        self.0.record(Slot::increment);
    }

    /// Adds `n`. It never panics and the counter never falls: it saturates at 2^63 or above. Prometheus cannot represent
    /// single counts above 2^53.
    #[doc(alias = "inc_by")]
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.record(|slot| slot.add(n));
    }

    /// Removes the series in five minutes, so that a scraper reads its last value; then its label values no longer
    /// count against their limits, even if handles are kept. If it is counted again, the series returns with its old
    /// count plus the new one. If other series use its capacity by then, new counts go to "other" until there is
    /// capacity again. A series without an open label is not removed, nor is "other".
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// A counter of floats of a bot's own family, such as fees or traded volume, which are not whole numbers. Clones share a
/// series, as those of a [`Counter`] do.
///
/// ```
/// bot_metrics::metrics! {
///     /// Fees that were paid, in dollars.
///     float_counter fees_paid_dollars_total
/// }
///
/// fees_paid_dollars_total().add(0.075);
/// ```
#[derive(Clone, Debug)]
pub struct FloatCounter(pub(super) Handle);

impl FloatCounter {
    /// Adds an amount in the unit that the family's name states. NaN, infinities and amounts below zero are not added;
    /// they increment `invalid_observations_total`. The counter never falls: it saturates at the largest float. Small
    /// amounts are not lost beside a large total.
    #[doc(alias = "inc_by")]
    #[inline]
    pub fn add(&self, amount: f64) {
        self.0.record(|slot| slot.observe(amount));
    }

    /// Removes the series, like [`Counter::remove`].
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// A gauge of a bot's own family; absent until it is first set. A gauge whose label value is over the limit is not
/// recorded, because a series that several gauges share would have the value of the last writer. `label_overflow_total`
/// counts such label values.
///
/// ```
/// bot_metrics::metrics! {
///     /// Open positions.
///     gauge positions_open
///     /// The deepest drawdown, in percent of the capital.
///     gauge drawdown_max_percent
/// }
///
/// let open = positions_open();
/// open.set(2.0);
/// open.increment();
/// open.sub(3.0);
/// drawdown_max_percent().set_max(4.5);
/// ```
///
/// Changes by several threads at once are all kept. After [`remove`](Self::remove) a change starts from 0. Changes made
/// while a label value is over its limit are discarded.
#[derive(Clone, Debug)]
pub struct Gauge(pub(super) Handle);

impl Gauge {
    /// Sets the value. If it is NaN, the gauge keeps its value, and `invalid_observations_total` is incremented.
    #[doc(alias = "set_gauge")]
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.record(|slot| slot.set(value));
    }

    /// Adds 1. An absent gauge starts at 0.
    #[doc(alias = "inc")]
    #[inline]
    pub fn increment(&self) {
        self.add(1.0);
    }

    /// Subtracts 1. An absent gauge starts at 0.
    #[doc(alias = "dec")]
    #[inline]
    pub fn decrement(&self) {
        self.sub(1.0);
    }

    /// Adds an amount, which may be negative. An absent gauge starts at 0. If the amount or the result is NaN, the gauge
    /// keeps its value, and `invalid_observations_total` is incremented.
    #[doc(alias = "inc_by")]
    #[inline]
    pub fn add(&self, amount: f64) {
        self.0.record(|slot| slot.change(amount));
    }

    /// Subtracts an amount, as [`add`](Self::add) adds one.
    #[doc(alias = "dec_by")]
    #[inline]
    pub fn sub(&self, amount: f64) {
        self.add(-amount);
    }

    /// Raises the gauge to `value` if it is lower than that, or absent. NaN is handled as by [`set`](Self::set).
    #[doc(alias = "fetch_max")]
    #[inline]
    pub fn set_max(&self, value: f64) {
        self.0.record(|slot| slot.raise(value));
    }

    /// Removes the series at once. The series is exported again when any handle sets it, if its label values are within
    /// their limits then. Series with a [`ProfileId`](crate::ProfileId) are removed when that profile [is
    /// removed](crate::ProfileHandle::remove).
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// A histogram of a bot's own family.
#[derive(Clone, Debug)]
pub struct Histogram(pub(super) Handle);

impl Histogram {
    /// For an allocator that requests the handle while this thread is inside a lock.
    pub(crate) const LOST: Self = Self(Handle::LOST);

    /// Observes a value in the unit that the family's name states. NaN, infinities and negative values are not observed;
    /// they increment `invalid_observations_total`.
    #[doc(alias = "record")]
    #[inline]
    pub fn observe(&self, value: f64) {
        self.0.record(|slot| slot.observe(value));
    }

    /// Starts a timer that observes the elapsed time in seconds when it is dropped, for families whose unit is seconds.
    ///
    /// ```
    /// bot_metrics::metrics! {
    ///     /// Time to read the order book.
    ///     histogram book_read_seconds buckets(0.001, 0.01, 0.1)
    /// }
    ///
    /// fn read_book(line: &str) -> Option<f64> {
    ///     let timer = book_read_seconds().start_timer();
    ///     let Ok(price) = line.parse() else {
    ///         timer.discard(); // not a book
    ///         return None;
    ///     };
    ///     Some(price)
    /// }
    /// # assert_eq!(read_book("1.5"), Some(1.5));
    /// # assert_eq!(read_book(""), None);
    /// ```
    #[doc(alias = "time")]
    #[doc(alias = "timer")]
    #[inline]
    pub fn start_timer(&self) -> HistogramTimer {
        HistogramTimer { histogram: self.clone(), began: clock::now_unless_inside() }
    }

    /// Observes a duration in seconds, for families whose unit is seconds.
    #[inline]
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// Removes the series, like [`Counter::remove`].
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// Observes the time since [`Histogram::start_timer`] when it is dropped, even during a panic.
#[derive(Debug)]
#[must_use = "a timer observes when it is dropped, which happens at once unless it is bound to a variable"]
pub struct HistogramTimer {
    histogram: Histogram,
    /// `None` if the timer was discarded, or if an allocator started it while the clock was being created.
    began: Option<u64>,
}

impl HistogramTimer {
    /// Ends the timer without an observation.
    pub fn discard(mut self) {
        self.began = None;
    }
}

impl Drop for HistogramTimer {
    fn drop(&mut self) {
        if let Some(began) = self.began {
            self.histogram.observe(clock::seconds_since(began));
        }
    }
}
