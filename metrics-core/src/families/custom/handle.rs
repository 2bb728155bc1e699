//! The handles that a declared family's function returns. Without the feature `enable` they record nothing.

use std::sync::Arc;
use std::time::Duration;

use super::series::process_series;
use crate::clock::{self, Clock};
use crate::series::{Entry, EntryHandle};
use crate::storage::{Slot, lose, record_outside};

/// The destination of a handle's recordings.
#[derive(Clone, Debug)]
pub(super) enum Handle {
    /// Not recorded.
    None { is_lost: bool },
    /// A series with closed labels only, which exists for ever.
    Closed(&'static Slot),
    /// A series that may be removed, and returns with the next recording.
    Open(EntryHandle),
}

impl Handle {
    /// Recordings are disabled.
    pub(super) const NOWHERE: Self = Self::None { is_lost: false };

    /// An allocator requested the handle while this thread was inside a lock.
    pub(super) const LOST: Self = Self::None { is_lost: true };

    /// A choice of four would be compiled to a jump table, which takes seven more instructions.
    #[inline]
    fn record(&self, record: impl Fn(&Slot)) {
        match self {
            Self::Closed(slot) => record(slot),
            Self::Open(held) => held.record(record, look_up_again),
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
                let _ = slot.retract();
            }
            Self::Open(held) => {
                let _ = record_outside(|| {
                    process_series().remove(held.entry(), Clock::System.boot_time());
                });
            }
        }
    }
}

fn look_up_again(entry: &Entry) -> Option<Arc<Entry>> {
    process_series().open_again(entry, Clock::System.boot_time())
}

/// A counter of a bot's own family. Clones count together. If a label is open, keep a handle that is used often. A
/// kept handle over the limit counts under "other", and in its own series once one is free.
#[derive(Clone, Debug)]
pub struct Counter(pub(super) Handle);

impl Counter {
    /// Adds one.
    #[doc(alias = "inc")]
    #[inline]
    pub fn increment(&self) {
        self.0.record(Slot::increment);
    }

    /// Adds `n`. It never panics and the counter never falls: far above 2^53, where Prometheus cannot represent
    /// single counts, it saturates.
    #[doc(alias = "inc_by")]
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.record(|slot| slot.add(n));
    }

    /// Removes the series in five minutes, so that a scraper reads its last value; then its label values no longer
    /// count against their limits, even if handles are kept. Counting revives it with its complete count. If others
    /// use its capacity by then, counts go to "other" until there is capacity again. Series with closed labels only
    /// are not removed, nor is "other".
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// A counter of floats of a bot's own family, such as fees or traded volume, which are not whole numbers. Clones count
/// together, as those of a [`Counter`] do.
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
    /// Adds an amount in the unit of the family's name. NaN, infinities and amounts below zero are not added;
    /// `invalid_observations_total` counts them. The counter never falls: it ends at the largest float. Small amounts
    /// are not lost beside a large total.
    #[doc(alias = "inc_by")]
    #[inline]
    pub fn add(&self, amount: f64) {
        self.0.record(|slot| slot.observe(amount));
    }

    /// Takes the series away, as [`Counter::remove`] does.
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// A gauge of a bot's own family; absent until it is first set. Values of an open label over its limit have no
/// series, because one for several would have the value of the last writer. `label_overflow_total` counts them.
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
/// Changes by several threads at once are all kept. After [`remove`](Self::remove), and while a label value is over its
/// limit, there is no value to change: the series begins at 0 again.
#[derive(Clone, Debug)]
pub struct Gauge(pub(super) Handle);

impl Gauge {
    /// Sets the value. If it is NaN, the gauge keeps its value, and `invalid_observations_total` increases.
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
    /// keeps its value, and `invalid_observations_total` grows.
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

    /// Sets it to `value` if it is lower or absent. NaN is handled as by [`set`](Self::set).
    #[doc(alias = "fetch_max")]
    #[inline]
    pub fn set_max(&self, value: f64) {
        self.0.record(|slot| slot.raise(value));
    }

    /// Removes the series at once. It returns when any handle sets it again, while its label values are within their
    /// limits. Series with a [`ProfileId`](crate::ProfileId) are removed when that profile [is
    /// removed](crate::ProfileHandle::remove).
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// A histogram of a bot's own family.
#[derive(Clone, Debug)]
pub struct Histogram(pub(super) Handle);

impl Histogram {
    /// A handle that an allocator requested while this thread was inside a lock.
    pub(crate) const LOST: Self = Self(Handle::LOST);

    /// Observes a value in the unit of the family's name. NaN, infinities and negative values are dropped;
    /// `invalid_observations_total` counts them.
    #[doc(alias = "record")]
    #[inline]
    pub fn observe(&self, value: f64) {
        self.0.record(|slot| slot.observe(value));
    }

    /// Starts a timer that observes the elapsed time, in seconds, when it is dropped.
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
        HistogramTimer::start(self.clone())
    }

    /// Observes a duration, in seconds.
    #[inline]
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// Removes the series, like [`Counter::remove`].
    pub fn remove(&self) {
        self.0.remove();
    }
}

/// Observes the time since [`Histogram::start_timer`] when it is dropped, also if that happens during a panic.
#[derive(Debug)]
#[must_use = "a timer observes when it is dropped, which happens at once unless it is bound to a variable"]
pub struct HistogramTimer {
    histogram: Histogram,
    /// `None` if it was discarded, or if an allocator asked for it while the clock was being created.
    began: Option<u64>,
}

impl HistogramTimer {
    fn start(histogram: Histogram) -> Self {
        // Read the clock last, so that the look-up of the series is not counted.
        Self { began: clock::now_unless_inside(), histogram }
    }

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
