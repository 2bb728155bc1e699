//! Exchange calls: how long each attempt takes, how it ends, and how many are under way.

use std::sync::Arc;

use crate::call_site::{Cells, Choice, SlotCell};
use crate::catalogue::{self, EXCHANGE_API_LATENCY_BUCKETS};
use crate::clock::Clock;
use crate::guard::{Guard, Unwinding};
use crate::registry;
use crate::storage::{Ending, Lease, NearNumber, Running, Scratch, Series, Sink};
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
        clock: &Clock,
    ) -> Arc<ExchangeSlots> {
        self.0.get_or_insert_with(&Key { exchange, operation }, || ExchangeSlots::new(clock))
    }

    /// `default` is the exchange of the settings. Its series may have slots under its own name too: the snapshot
    /// adds up what has the same labels.
    pub(crate) fn collect(&self, default: Option<&'static str>, sink: &mut dyn Sink) {
        sink.open(&catalogue::EXCHANGE_API_LATENCY_SECONDS);
        let mut scratch = Scratch::default();
        for (key, slots) in self.0.all() {
            slots.collect(key.exchange.or(default).unwrap_or_default(), key.operation, &mut scratch, sink);
        }
    }
}

/// Outcomes that an exchange call can have: all but the last, which is for subsystems.
const OUTCOMES: usize = Outcome::VALUES.len() - 1;

/// What is recorded of one operation at one exchange.
#[derive(Debug)]
pub struct ExchangeSlots(Lease);

impl ExchangeSlots {
    fn new(clock: &Clock) -> Self {
        Self(Lease::new(&EXCHANGE_API_LATENCY_BUCKETS, Outcome::VALUES.len(), clock.scale()))
    }

    fn collect(
        &self,
        exchange: &'static str,
        operation: &'static str,
        scratch: &mut Scratch,
        sink: &mut dyn Sink,
    ) {
        let labels = &[exchange, operation];
        // Stamps are not read.
        let totals = self.0.read(scratch, u64::MAX);
        let observed = self.0.scale().duration(totals.sum).as_secs_f64();
        sink.histogram(&catalogue::EXCHANGE_API_LATENCY_SECONDS, labels, totals.observed(), observed);
        if !sink.includes(&catalogue::EXCHANGE_API_REQUESTS_TOTAL) {
            return;
        }
        for (outcome, requests) in Outcome::VALUES.iter().zip(&totals.outcomes).take(OUTCOMES) {
            let labels = &[exchange, operation, outcome];
            sink.counter(&catalogue::EXCHANGE_API_REQUESTS_TOTAL, labels, *requests);
        }
        #[expect(clippy::cast_precision_loss, reason = "2^53 calls at once do not fit a machine")]
        let in_flight = totals.under_way() as f64;
        sink.gauge(&catalogue::EXCHANGE_API_IN_FLIGHT, labels, in_flight);
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
        let running = self.slots.0.start(&self.clock);
        CallGuard { running, clock: &self.clock, unwinding: Unwinding::at_entry(), ended: false }
    }
}

/// An attempt under way. Dropped without [`finish`](Self::finish) it counts as cancelled, or as a panic where one
/// drops it.
#[derive(Debug)]
pub struct CallGuard<'a> {
    running: Running,
    clock: &'a Clock,
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
        let now = self.clock.ticks();
        let running = self.running.here();
        if outcome != Outcome::Ok || !running.end_quickly(now) {
            running.end(ending(outcome), now);
        }
    }
}

/// How an attempt that ended so is recorded.
fn ending(outcome: Outcome) -> Ending {
    // However it ended: otherwise an outage would make the latency look better. A skip is no attempt.
    let observed = outcome != Outcome::Skipped;
    Ending { outcome: outcome as u8, observed, freshens: false }
}

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(self.unwinding.outcome());
        }
    }
}

/// An attempt of an annotated function.
#[derive(Debug)]
pub struct SiteCall(pub(crate) Running);

impl Guard for SiteCall {
    type Verdict = Outcome;

    #[inline]
    fn finish(self, outcome: Outcome) {
        if outcome == Outcome::Ok {
            end_well(self.0);
        } else {
            self.abandon(outcome);
        }
    }

    #[inline]
    fn finish_here(self, outcome: Outcome) {
        if outcome == Outcome::Ok {
            end_well_here(self.0);
        } else {
            self.abandon(outcome);
        }
    }

    #[cold]
    fn abandon(self, outcome: Outcome) {
        self.0.end_site(ending(outcome));
    }
}

// Once for all sites, not once in each annotated function: 200 bytes less of each, and as fast.

#[inline(never)]
fn end_well(running: Running) {
    if !running.end_quickly_anywhere_by_time_stamp() {
        running.end_site(ending(Outcome::Ok));
    }
}

#[inline(never)]
fn end_well_here(running: Running) {
    if !running.end_quickly_by_time_stamp() {
        running.end_site(ending(Outcome::Ok));
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

    /// Which cell belongs to the values at these indices of the choices.
    pub(crate) fn index(&self, exchange: usize, operation: usize) -> usize {
        exchange * self.operation.count() + operation
    }

    pub(crate) fn cell(&self, index: usize) -> &SlotCell<ExchangeSlots> {
        self.slots.get(index)
    }

    pub(crate) fn start_slowly(&'static self, index: usize, near: Option<&'static NearNumber>) -> Running {
        self.cell(index).start_slowly(near, || self.find(index), |slots| &slots.0)
    }

    fn find(&self, index: usize) -> Arc<ExchangeSlots> {
        let core = registry::process_core();
        let (exchange, operation) = (index / self.operation.count(), index % self.operation.count());
        let operation = self.operation.text(operation).unwrap_or_default();
        core.exchange_calls.slots(self.exchange.text(exchange), operation, &core.clock)
    }

    pub(crate) fn exchange(&self) -> Choice {
        self.exchange
    }

    /// The operation that this site always is, if it does not choose at run time.
    pub(crate) fn fixed_operation(&self) -> Option<&'static str> {
        self.operation.fixed()
    }
}
