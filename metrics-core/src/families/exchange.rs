//! Exchange calls: the latency of each attempt, its outcome, and the attempts in progress.

use std::sync::Arc;

use crate::catalogue::{self, EXCHANGE_API_LATENCY_BUCKETS};
use crate::clock::Clock;
use crate::outcome::unwinding::Unwinding;
use crate::storage::waiting::{SinceHere, claim};
use crate::storage::{Call, CallSeriesLease, Ending, Scratch, SeriesMap, Sink, to_f64};
use crate::{LabelValue, Outcome};

/// The key of a series: the exchange, unless it is the one of the settings, and the operation.
type CallKey = (Option<&'static str>, &'static str);

/// The exchange calls of an instance.
#[derive(Debug, Default)]
pub(crate) struct ExchangeCalls(SeriesMap<CallKey, CallSeriesLease>);

impl ExchangeCalls {
    /// The series of `operation` at `exchange`, or at the exchange in the settings.
    pub(crate) fn lease(
        &self,
        exchange: Option<&'static str>,
        operation: &'static str,
        clock: &Clock,
    ) -> Arc<CallSeriesLease> {
        self.0.get_or_insert_with(&(exchange, operation), || {
            CallSeriesLease::new(&EXCHANGE_API_LATENCY_BUCKETS, Outcome::VALUES.len(), clock.scale())
        })
    }

    /// `default` is the exchange in the settings. Series under its own name are added to those without a name.
    ///
    /// Each series is read once, so that its families agree: the values for the later families are kept until their
    /// turn.
    pub(crate) fn collect(&self, default: Option<&'static str>, sink: &mut dyn Sink) {
        sink.open(&catalogue::EXCHANGE_API_LATENCY_SECONDS);
        let mut series = Vec::with_capacity(self.0.len());
        self.0.each(|(exchange, operation), calls| {
            series.push(([exchange.or(default).unwrap_or_default(), operation], Arc::clone(calls)));
        });
        series.sort_unstable_by_key(|(labels, _)| *labels);
        let mut kept = Vec::with_capacity(series.len());
        let mut scratch = Scratch::default();
        for same in series.chunk_by(|(one, _), (next, _)| one == next) {
            let (labels, calls) = &same[0];
            let mut totals = calls.read(&mut scratch, u64::MAX);
            for (_, more) in &same[1..] {
                totals = more.read_too(&mut scratch, u64::MAX);
            }
            for (_, calls) in same {
                sink.exemplars(&catalogue::EXCHANGE_API_LATENCY_SECONDS, &calls.exemplars);
            }
            let observed = calls.scale().duration(totals.sum).as_secs_f64();
            sink.histogram(&catalogue::EXCHANGE_API_LATENCY_SECONDS, labels, totals.observed(), observed);
            let outcomes = std::array::from_fn(|outcome| totals.outcomes[outcome]);
            kept.push(Kept { labels: *labels, outcomes, in_flight: totals.under_way() });
            sink.rest();
        }
        sink.open(&catalogue::EXCHANGE_API_REQUESTS_TOTAL);
        for Kept { labels: [exchange, operation], outcomes, .. } in kept.iter().copied() {
            for (outcome, requests) in Outcome::VALUES.iter().zip(&outcomes) {
                let labels = &[exchange, operation, outcome];
                sink.counter(&catalogue::EXCHANGE_API_REQUESTS_TOTAL, labels, *requests);
            }
            sink.rest();
        }
        sink.open(&catalogue::EXCHANGE_API_IN_FLIGHT);
        for Kept { labels, in_flight, .. } in &kept {
            sink.gauge(&catalogue::EXCHANGE_API_IN_FLIGHT, labels, to_f64(*in_flight));
            sink.rest();
        }
    }
}

/// Outcomes that an exchange call can have: all but the last, which is for subsystems.
const OUTCOMES: usize = Outcome::VALUES.len() - 1;

/// The values of a series for its later families.
#[derive(Clone, Copy)]
struct Kept {
    labels: [&'static str; 2],
    outcomes: [u64; OUTCOMES],
    in_flight: u64,
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
pub struct ExchangeCallHandle {
    pub(crate) series: Arc<CallSeriesLease>,
    pub(crate) clock: Clock,
}

impl ExchangeCallHandle {
    /// Begins one attempt; a retry is another.
    #[must_use = "an attempt lasts as long as its guard"]
    pub fn start(&self) -> CallGuard<'_> {
        let running = self.series.start(&self.clock);
        CallGuard {
            running,
            clock: &self.clock,
            unwinding: Unwinding::at_entry(),
            since: SinceHere::begin(),
            given: None,
        }
    }
}

/// An attempt in progress. Dropped without [`finish`](Self::finish), it counts as cancelled, or as a panic if a panic
/// drops it.
#[derive(Debug)]
pub struct CallGuard<'a> {
    running: Call,
    clock: &'a Clock,
    unwinding: Unwinding,
    since: SinceHere,
    /// The outcome from [`finish`](Self::finish).
    given: Option<Outcome>,
}

impl CallGuard<'_> {
    /// Ends the attempt. [`Outcome::Skipped`] means that none was made: nothing is recorded.
    pub fn finish(mut self, outcome: Outcome) {
        self.given = Some(outcome);
    }

    /// Begins a local wait of this attempt, which lasts until the returned guard is dropped and is subtracted from
    /// the latency. [`local_wait`](crate::local_wait) does that for all enclosing calls; this wait belongs to this
    /// attempt only, even if it moves to another thread. Time in several waits counts once.
    #[must_use = "the wait lasts as long as the guard lives"]
    pub fn local_wait(&mut self) -> CallWait<'_> {
        CallWait {
            from: self.clock.ticks(),
            clock: self.clock,
            running: &mut self.running,
            since: SinceHere::begin(),
        }
    }
}

/// Local waiting within an attempt; from [`CallGuard::local_wait`].
#[derive(Debug)]
#[must_use = "it waits as long as the guard lives"]
pub struct CallWait<'a> {
    from: u64,
    clock: &'a Clock,
    running: &'a mut Call,
    since: SinceHere,
}

impl Drop for CallWait<'_> {
    fn drop(&mut self) {
        // Waits of the thread in the meantime are subtracted at the end.
        let lasted = self.clock.ticks().saturating_sub(self.from);
        let own = lasted.saturating_sub(waited(self.since, self.clock));
        *self.running = self.running.with_later_start(own);
        claim(own);
    }
}

/// The thread's waits since then, by the system's clock, in ticks.
fn waited(since: SinceHere, clock: &Clock) -> u64 {
    match clock {
        Clock::System => since.waited(),
        Clock::Manual(_) => 0,
    }
}

/// How an attempt with this outcome is recorded.
pub(crate) fn ending(outcome: Outcome) -> Ending {
    // Observed for every outcome; otherwise an outage would make the latency look better. A skip is not an attempt.
    let observed = outcome != Outcome::Skipped;
    Ending { outcome: outcome as u8, observed, freshens: false }
}

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        let outcome = self.given.unwrap_or_else(|| self.unwinding.outcome());
        let now = self.clock.ticks();
        let running = self.running.on_this_thread().with_later_start(waited(self.since, self.clock));
        if outcome != Outcome::Ok || !running.end_quickly(now) {
            running.end(ending(outcome), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::catalogue::Family;
    use crate::storage::Reading;
    use crate::storage::tests::drop_guard_while_another_has_its_share;

    #[derive(Default)]
    struct Told(Vec<(String, u64)>);

    impl Sink for Told {
        fn includes(&self, _: &Family) -> bool {
            true
        }

        fn sample(&mut self, _: &'static Family, labels: &[&str], value: Reading<'_>) {
            if let Reading::Histogram { buckets, .. } = value {
                self.0.push((labels.join(" "), buckets.iter().sum()));
            }
        }
    }

    #[test]
    fn calls_with_and_without_the_name_of_the_default_exchange_share_one_series() {
        let (calls, clock) = (ExchangeCalls::default(), Clock::System);
        for (count, (exchange, operation)) in (1..).zip([
            (Some("okx"), "a"),
            (None, "b"),
            (Some("kraken"), "b"),
            (None, "a"),
            (Some("binance"), "b"),
            (Some("kraken"), "c"),
            (None, "d"),
        ]) {
            let series = calls.lease(exchange, operation, &clock);
            for _ in 0..count {
                let running: Call = series.start(&clock);
                running.on_this_thread().end(ending(Outcome::Error), clock.ticks());
            }
        }
        let told = |default| {
            let mut told = Told::default();
            calls.collect(default, &mut told);
            told.0.into_iter().map(|(labels, count)| format!("{labels} {count}")).collect::<Vec<_>>()
        };
        let expected = ["binance b 5", "kraken a 4", "kraken b 5", "kraken c 6", "kraken d 7", "okx a 1"];
        assert_eq!(told(Some("kraken")), expected);
        let last = ["binance b 5", "kraken b 3", "kraken c 6", "okx a 1", "zaif a 4", "zaif b 2", "zaif d 7"];
        assert_eq!(told(Some("zaif")), last);
    }

    #[test]
    fn an_attempt_ended_by_a_destructor_leaves_its_shard_to_the_new_owner() {
        static SERIES: LazyLock<Arc<CallSeriesLease>> = LazyLock::new(|| {
            let scale = Clock::System.scale();
            // A near number, because other shards are found in another table, which is gone when its destructor has
            // run.
            let lease = CallSeriesLease::numbered(255, &EXCHANGE_API_LATENCY_BUCKETS, OUTCOMES + 1, scale);
            Arc::new(lease)
        });
        drop_guard_while_another_has_its_share(|| {
            let call =
                Box::leak(Box::new(ExchangeCallHandle { series: Arc::clone(&SERIES), clock: Clock::System }));
            Box::new(call.start())
        });
        assert_eq!(SERIES.ended_without_share(), 1);
        let totals = SERIES.read(&mut Scratch::default(), u64::MAX).clone();
        assert_eq!((totals.started, totals.ended(), totals.under_way()), (2, 2, 0));
    }
}
