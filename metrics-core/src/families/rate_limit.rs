//! Rate limits of exchanges: the used part of each, as reported by the exchange.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::catalogue;
use crate::clock::Clock;
use crate::lock::{self, Lock};
use crate::storage::{CounterSlot, ENABLED, GaugeSlot, SeriesMap, Sink, record_outside};

/// The names of an exchange and of one of its limits.
type LimitLabels = (&'static str, &'static str);

/// The rate limits for which an exchange refuses requests, each with a duration.
pub(crate) type Refusals = BTreeMap<LimitLabels, Duration>;

/// A reader of the status could not add a much longer time to the current one.
const LONGEST_REFUSAL: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The rate limits of an instance, by exchange and limit.
#[derive(Debug)]
pub(crate) struct RateLimits {
    clock: Clock,
    series: SeriesMap<LimitLabels, GaugeSlot>,
    /// Until when, in boot time.
    refused_until: Lock<Refusals>,
    /// The number of invalid values.
    pub(crate) invalid: CounterSlot,
}

impl RateLimits {
    pub(crate) fn new(clock: Clock) -> Self {
        let (series, refused_until, invalid) =
            (SeriesMap::default(), Lock::default(), CounterSlot::default());
        Self { clock, series, refused_until, invalid }
    }

    fn slot(&self, labels: LimitLabels) -> Arc<GaugeSlot> {
        self.series.get_or_insert_with(&labels, GaugeSlot::new)
    }

    /// Notes that an exchange refuses requests for this long; of several times the one that ends last counts, until one
    /// is zero.
    fn refuse(&self, labels: LimitLabels, rest: Duration) {
        let until = self.clock.boot_time().saturating_add(rest.min(LONGEST_REFUSAL));
        let mut refused_until = self.refused_until.lock();
        if rest.is_zero() {
            refused_until.remove(&labels);
            return;
        }
        let known = refused_until.entry(labels).or_default();
        *known = until.max(*known);
    }

    /// The refusals at this boot time, each with the rest of its duration.
    #[cfg(feature = "page")]
    pub(crate) fn refusals(&self, now: Duration) -> Refusals {
        let refused_until = self.refused_until.lock();
        let rest = refused_until.iter().map(|(labels, until)| (*labels, until.saturating_sub(now)));
        rest.filter(|(_, rest)| !rest.is_zero()).collect()
    }

    pub(crate) fn collect(&self, sink: &mut dyn Sink) {
        self.series.each(|(exchange, limit), used| {
            if let Some(used) = used.value() {
                sink.gauge(&catalogue::EXCHANGE_RATE_LIMIT_USED_RATIO, &[exchange, limit], used);
            }
        });
    }
}

/// A rate limit of an exchange; from [`Metrics::rate_limit`](crate::Metrics::rate_limit).
///
/// ```
/// # use bot_metrics::{Mode, Settings, labels::{Exchange, RateLimit}};
/// let metrics = Settings::new(Mode::Paper).build()?;
/// let weight = metrics.rate_limit(Exchange::Binance, RateLimit::RequestWeight);
/// // Of each answer: the header `X-MBX-USED-WEIGHT-1M`, of 6,000 a minute.
/// weight.set_used(1_200.0, 6_000.0);
/// # Ok::<(), bot_metrics::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RateLimitHandle {
    limits: Arc<RateLimits>,
    labels: LimitLabels,
    /// `None` if an allocator requested the handle under a lock.
    slot: Option<Arc<GaugeSlot>>,
}

impl RateLimitHandle {
    pub(crate) fn new(limits: Arc<RateLimits>, exchange: &'static str, limit: &'static str) -> Self {
        let labels = (exchange, limit);
        let slot = lock::outside(|| limits.slot(labels));
        Self { limits, labels, slot }
    }

    /// Sets the used and the allowed amount, in the limit's own unit: requests, orders, weight. The gauge is their
    /// ratio: 0 to 1, or more if the exchange keeps counting. It is absent until this is called first.
    ///
    /// If an amount is negative, NaN or infinite, or nothing is allowed, only `invalid_observations_total` changes.
    pub fn set_used(&self, used: f64, allowed: f64) {
        if !ENABLED {
            return;
        }
        let ratio = used / allowed;
        if used >= 0.0 && allowed > 0.0 && allowed.is_finite() && ratio.is_finite() {
            match &self.slot {
                Some(slot) => slot.set(ratio),
                None => record_outside(|| self.limits.slot(self.labels).set(ratio)),
            }
        } else {
            self.limits.invalid.add(1);
        }
    }

    /// Like [`set_used`](Self::set_used), from the remaining amount, as Bybit reports it (`X-Bapi-Limit-Status` of
    /// `X-Bapi-Limit`).
    pub fn set_remaining(&self, remaining: f64, allowed: f64) {
        self.set_used(allowed - remaining, allowed);
    }

    /// Notes that the exchange refuses requests for this long from now on, as the header `Retry-After` of an answer with
    /// the status 429 or 418 says. The status page shows until when; nothing is exported. Of several such answers the
    /// one that ends last counts; `Duration::ZERO` says that the exchange serves requests again. A time of more than a
    /// year counts as a year.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bot_metrics::{Mode, Settings, labels::{Exchange, RateLimit}};
    /// let metrics = Settings::new(Mode::Paper).build()?;
    /// let weight = metrics.rate_limit(Exchange::Binance, RateLimit::RequestWeight);
    /// weight.set_refused_for(Duration::from_secs(30));
    /// # Ok::<(), bot_metrics::Error>(())
    /// ```
    pub fn set_refused_for(&self, retry_after: Duration) {
        if ENABLED {
            record_outside(|| self.limits.refuse(self.labels, retry_after));
        }
    }
}
