use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bot_metrics::labels::{Exchange, Operation};
use bot_metrics::testing::{Samples, instance};
use bot_metrics::{LabelValue, Outcome};

const LABELS: &[(&str, &str)] = &[("exchange", "binance"), ("operation", "place_order")];

#[test]
fn an_attempt_is_observed_and_counted_however_it_ends() {
    let outcomes = Outcome::VALUES.iter().filter(|outcome| **outcome != "skipped");
    let (metrics, clock) = instance();
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    for outcome in [
        Outcome::Ok,
        Outcome::Rejected,
        Outcome::RateLimited,
        Outcome::Banned,
        Outcome::Auth,
        Outcome::ServerError,
        Outcome::Timeout,
        Outcome::Transport,
        Outcome::Decode,
        Outcome::Error,
    ] {
        let attempt = call.start();
        clock.advance(Duration::from_millis(60));
        attempt.finish(outcome);
    }
    drop(call.start());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _attempt = call.start();
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    let samples = Samples::of(&metrics);
    for outcome in outcomes {
        let labels = [LABELS, &[("outcome", outcome)]].concat();
        assert_eq!(
            samples.value("bytelyst_bot_exchange_api_requests_total", &labels),
            Some(1.0),
            "{outcome}"
        );
    }
    assert_eq!(samples.value("bytelyst_bot_exchange_api_latency_seconds_count", LABELS), Some(12.0));
    assert_eq!(samples.value("bytelyst_bot_exchange_api_latency_seconds_sum", LABELS), Some(0.6));
    assert_eq!(samples.value("bytelyst_bot_exchange_api_in_flight", LABELS), Some(0.0));
}

#[test]
fn attempts_under_way_are_in_flight() {
    let (metrics, _) = instance();
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let (one, _two) = (call.start(), call.start());
    let in_flight = || Samples::of(&metrics).value("bytelyst_bot_exchange_api_in_flight", LABELS);
    assert_eq!(in_flight(), Some(2.0));
    one.finish(Outcome::Ok);
    assert_eq!(in_flight(), Some(1.0));
}
