//! Exchange calls: how long each attempt takes, how it ends, and how many are under way.

use std::sync::Arc;
use std::time::Duration;

use crate::call_site::{Cells, Choice, SlotCell};
use crate::catalogue::{self, EXCHANGE_API_LATENCY_BUCKETS};
use crate::clock::Clock;
use crate::guard::{Guard, Unwinding};
use crate::registry;
use crate::storage::{CounterSlot, HistogramSlot, LevelSlot, Series, SnapshotBuilder};
use crate::{LabelValue, Outcome};

/// One family's series: which exchange, where it is not the one of the settings, and which operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    exchange: Option<&'static str>,
    operation: &'static str,
}

/// The exchange calls of an instance.
#[derive(Debug)]
pub(crate) struct ExchangeCalls(Series<Key, ExchangeSlots>);

impl ExchangeCalls {
    pub(crate) fn new() -> Self {
        Self(Series::new())
    }

    /// The slots of `operation` at `exchange`, or at the exchange that the settings name.
    pub(crate) fn slots(
        &self,
        exchange: Option<&'static str>,
        operation: &'static str,
    ) -> Arc<ExchangeSlots> {
        self.0.get_or_insert_with(&Key { exchange, operation }, ExchangeSlots::new)
    }

    /// `default` is the exchange of the settings. Its series may have slots under its own name too: the snapshot
    /// adds up what has the same labels.
    pub(crate) fn collect(&self, default: Option<&'static str>, snapshot: &mut SnapshotBuilder) {
        for (key, slots) in self.0.all() {
            slots.collect(key.exchange.or(default).unwrap_or_default(), key.operation, snapshot);
        }
    }
}

/// Outcomes that an exchange call can have: all but the last, which is for subsystems.
const OUTCOMES: usize = Outcome::VALUES.len() - 1;

/// What is recorded of one operation at one exchange.
#[derive(Debug)]
pub struct ExchangeSlots {
    latency: HistogramSlot<{ EXCHANGE_API_LATENCY_BUCKETS.len() + 1 }>,
    requests: [CounterSlot; OUTCOMES],
    in_flight: LevelSlot,
}

impl ExchangeSlots {
    fn new() -> Self {
        Self {
            latency: HistogramSlot::new(&EXCHANGE_API_LATENCY_BUCKETS),
            requests: std::array::from_fn(|_| CounterSlot::new()),
            in_flight: LevelSlot::new(),
        }
    }

    fn start<'a>(&'a self, clock: &'a Clock) -> CallGuard<'a> {
        self.in_flight.raise();
        CallGuard {
            slots: self,
            clock,
            started: clock.monotonic(),
            unwinding: Unwinding::at_entry(),
            ended: false,
        }
    }

    fn collect(&self, exchange: &'static str, operation: &'static str, snapshot: &mut SnapshotBuilder) {
        let labels = || vec![exchange.into(), operation.into()];
        snapshot.histogram(&catalogue::EXCHANGE_API_LATENCY_SECONDS, labels(), self.latency.value());
        for (outcome, requests) in Outcome::VALUES.iter().zip(&self.requests) {
            let labels = vec![exchange.into(), operation.into(), (*outcome).into()];
            snapshot.counter(&catalogue::EXCHANGE_API_REQUESTS_TOTAL, labels, requests.value());
        }
        #[expect(clippy::cast_precision_loss, reason = "2^53 calls at once do not fit a machine")]
        let in_flight = self.in_flight.value() as f64;
        snapshot.gauge(&catalogue::EXCHANGE_API_IN_FLIGHT, labels(), in_flight);
    }
}

/// An operation at an exchange, for code that cannot be annotated; from
/// [`Metrics::exchange_call`](crate::Metrics::exchange_call).
///
/// ```
/// # use bot_metrics::{Mode, Outcome, Settings, labels::{Exchange, Operation}};
/// let metrics = Settings::new(Mode::Paper).build()?;
/// let place_order = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
///
/// let attempt = place_order.start();
/// // … send the request, read and decode the answer …
/// attempt.finish(Outcome::RateLimited);
/// # Ok::<(), bot_metrics::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExchangeCall {
    slots: Arc<ExchangeSlots>,
    clock: Clock,
}

impl ExchangeCall {
    pub(crate) fn new(slots: Arc<ExchangeSlots>, clock: Clock) -> Self {
        Self { slots, clock }
    }

    /// Begins one attempt; a retry is another.
    #[must_use = "an attempt lasts as long as its guard"]
    pub fn start(&self) -> CallGuard<'_> {
        self.slots.start(&self.clock)
    }
}

/// An attempt under way. Dropped without [`finish`](Self::finish) it counts as cancelled, or as a panic where one
/// drops it.
#[derive(Debug)]
pub struct CallGuard<'a> {
    slots: &'a ExchangeSlots,
    clock: &'a Clock,
    started: Duration,
    unwinding: Unwinding,
    ended: bool,
}

impl CallGuard<'_> {
    /// Ends the attempt. [`Outcome::Skipped`] means that none was made: nothing is recorded.
    pub fn finish(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        self.ended = true;
        self.slots.in_flight.lower();
        if let Some(requests) = self.slots.requests.get(outcome.index()) {
            requests.add(1);
            // However it ended: otherwise an outage would make the latency look better.
            self.slots.latency.observe(self.clock.monotonic().saturating_sub(self.started));
        }
    }
}

impl Guard for CallGuard<'_> {
    type Verdict = Outcome;

    fn finish(self, outcome: Outcome) {
        Self::finish(self, outcome);
    }

    fn abandon(self, outcome: Outcome) {
        Self::finish(self, outcome);
    }
}

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(self.unwinding.outcome());
        }
    }
}

/// An annotated function that is one attempt of an exchange call.
#[derive(Debug)]
pub struct ExchangeSite {
    exchange: Choice,
    operation: Choice,
    slots: Cells<ExchangeSlots>,
}

impl ExchangeSite {
    /// A site with labels that do not vary.
    #[must_use]
    pub const fn new(exchange: Choice, operation: Choice) -> Self {
        Self { exchange, operation, slots: Cells::one() }
    }

    /// Cells for each set of values that the site can have, where that is more than one.
    #[must_use]
    pub const fn cells(mut self, cells: &'static [SlotCell<ExchangeSlots>]) -> Self {
        self.slots.many = cells;
        self
    }

    /// Begins an attempt with the values at these indices of the site's choices.
    #[must_use]
    pub fn start(&'static self, exchange: usize, operation: usize) -> CallGuard<'static> {
        let core = registry::process_core();
        let cell = self.slots.get(exchange * self.operation.count() + operation);
        let slots = cell.get_or_init(|| {
            let operation = self.operation.text(operation).unwrap_or_default();
            core.exchange_calls.slots(self.exchange.text(exchange), operation)
        });
        slots.start(&core.clock)
    }

    pub(crate) fn exchange(&self) -> Choice {
        self.exchange
    }

    /// The operation that this site always is, if it does not choose at run time.
    pub(crate) fn fixed_operation(&self) -> Option<&'static str> {
        self.operation.fixed()
    }
}
