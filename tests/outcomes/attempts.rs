//! Each outcome of an attempt that a handle records.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bot_metrics::labels::{Exchange, Operation};
use bot_metrics::testing::{Samples, instance};
use bot_metrics::{LabelValue as _, Outcome};

use crate::ends::CLASSES;

#[test]
fn an_attempt_is_observed_and_counted_however_it_ends() {
    let (metrics, clock) = instance();
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let finished: Vec<_> = [Outcome::Ok].into_iter().chain(CLASSES.map(Outcome::from)).collect();
    for outcome in &finished {
        let attempt = call.start();
        clock.advance(Duration::from_millis(60));
        attempt.finish(*outcome);
    }
    drop(call.start());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _attempt = call.start();
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    let samples = Samples::of(&metrics);
    let outcomes: Vec<_> = finished.iter().chain(&[Outcome::Cancelled, Outcome::Panic]).collect();
    let requests = "bytelyst_bot_exchange_api_requests_total";
    for outcome in &outcomes {
        assert_eq!(samples.value(requests, &[("outcome", outcome.as_str())]), Some(1.0), "{outcome:?}");
    }
    assert_eq!(samples.matching(requests, &[]).count(), outcomes.len(), "there is no other outcome");
    let value = |name| samples.value(name, &[]);
    let [attempts, lasted] =
        [outcomes.len(), 60 * finished.len()].map(|number| f64::from(u32::try_from(number).unwrap()));
    assert_eq!(value("bytelyst_bot_exchange_api_latency_seconds_count"), Some(attempts));
    assert_eq!(value("bytelyst_bot_exchange_api_latency_seconds_sum"), Some(lasted / 1_000.0));
    assert_eq!(value("bytelyst_bot_exchange_api_in_flight"), Some(0.0));
}
