use std::thread::sleep;
use std::time::{Duration, Instant};

use bot_metrics::labels::{self, Exchange, Operation, RateLimit};
use bot_metrics::testing::{Samples, instance};
use bot_metrics::{LabelValue as _, Metrics, Mode, Outcome, Settings, exchange_call, local_wait};

const LABELS: &[(&str, &str)] = &[("exchange", "binance"), ("operation", "place_order")];

/// Records to each family of this file, for the tests of the whole catalogue.
pub(crate) fn record(metrics: &Metrics) {
    metrics.exchange_call(Exchange::Kraken, Operation::GetTicker).start().finish(Outcome::Ok);
    metrics.rate_limit(Exchange::Kraken, RateLimit::Requests).set_used(1.0, 2.0);
}

#[test]
fn attempts_in_progress_are_in_flight() {
    let (metrics, _) = instance();
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let (one, _two) = (call.start(), call.start());
    let in_flight = || Samples::of(&metrics).value("bytelyst_bot_exchange_api_in_flight", LABELS);
    assert_eq!(in_flight(), Some(2.0));
    one.finish(Outcome::Ok);
    assert_eq!(in_flight(), Some(1.0));
}

#[test]
fn local_waiting_is_subtracted_from_an_attempt_by_a_handle() {
    let (metrics, clock) = instance();
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let mut attempt = call.start();
    clock.advance(Duration::from_millis(40));
    let waiting = attempt.local_wait();
    clock.advance(Duration::from_secs(3));
    drop(waiting);
    drop(attempt.local_wait());
    clock.advance(Duration::from_millis(20));
    attempt.finish(Outcome::Ok);
    let samples = Samples::of(&metrics);
    assert_eq!(samples.value("bytelyst_bot_exchange_api_latency_seconds_sum", LABELS), Some(0.06));
    assert_eq!(samples.value("bytelyst_bot_exchange_api_in_flight", LABELS), Some(0.0));
}

const USED: &str = "bytelyst_bot_exchange_rate_limit_used_ratio";

#[test]
fn a_rate_limit_is_the_ratio_that_the_exchanges_own_header_gives_and_absent_before() {
    let (metrics, _) = instance();
    let weight = metrics.rate_limit(Exchange::Binance, RateLimit::RequestWeight);
    let used = || Samples::of(&metrics).value(USED, &[("exchange", "binance"), ("limit", "request_weight")]);
    assert_eq!(used(), None);
    weight.set_used(1_500.0, 6_000.0);
    assert_eq!(used(), Some(0.25));
    metrics.rate_limit(Exchange::Binance, RateLimit::RequestWeight).set_remaining(1_500.0, 6_000.0);
    assert_eq!(used(), Some(0.75));
    weight.set_used(6_600.0, 6_000.0);
    assert_eq!(used(), Some(1.1), "the exchange keeps counting");
    let invalid =
        [(f64::NAN, 1.0), (1.0, 0.0), (-1.0, 1.0), (1.0, f64::INFINITY), (1.0, -1.0), (f64::INFINITY, 1.0)];
    for (n, (used_up, allowed)) in (1..).zip(invalid) {
        weight.set_used(used_up, allowed);
        let labels = [("metric", "bytelyst_bot_exchange_rate_limit_used_ratio")];
        let dropped = Samples::of(&metrics).value("bytelyst_bot_invalid_observations_total", &labels);
        assert_eq!((used(), dropped), (Some(1.1), Some(f64::from(n))), "{used_up} of {allowed}");
    }
}

#[test]
fn the_latencys_buckets_are_these_and_a_superset_of_the_usual_ones() {
    let buckets = bot_metrics::catalogue::EXCHANGE_API_LATENCY_SECONDS.buckets;
    let stated = [
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0,
    ];
    assert_eq!(buckets, stated);
    let usual = [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0];
    assert!(usual.iter().all(|bound| buckets.contains(bound)));
}

#[test]
fn each_outcome_except_skipped_is_0_from_the_start() {
    let (metrics, _) = instance();
    let _call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let samples = Samples::of(&metrics);
    let requests = samples.matching("bytelyst_bot_exchange_api_requests_total", LABELS);
    let mut outcomes: Vec<_> = requests.map(|(series, value)| (&*series.labels["outcome"], value)).collect();
    outcomes.sort_by_key(|(outcome, _)| *outcome);
    let mut expected = Outcome::VALUES.to_vec();
    expected.retain(|outcome| *outcome != "skipped");
    expected.sort_unstable();
    assert_eq!(outcomes, expected.into_iter().map(|outcome| (outcome, 0.0)).collect::<Vec<_>>());
}

const MOMENT: Duration = Duration::from_millis(5);
const WAIT: Duration = Duration::from_millis(30);

/// The sum of the recorded latencies.
fn latency(metrics: &bot_metrics::Metrics) -> Duration {
    let seconds = Samples::of(metrics).sum("bytelyst_bot_exchange_api_latency_seconds_sum", &[]);
    Duration::from_secs_f64(seconds)
}

#[test]
fn local_wait_is_subtracted_from_the_attempt_of_a_handle_around_it() {
    let metrics = Settings::new(Mode::Paper).build().expect("settings that are allowed");
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    for (round, outcome) in (1..).zip([Outcome::Ok, Outcome::Timeout, Outcome::Ok]) {
        let before = latency(&metrics);
        let started = Instant::now();
        let outer = call.start();
        let mut attempt = call.start();
        let waiting = local_wait();
        sleep(WAIT);
        drop(waiting);
        sleep(MOMENT);
        // Each wait counts once, through either API, also when nested in the other.
        let waiting = attempt.local_wait();
        let inside = local_wait();
        sleep(WAIT);
        drop(inside);
        sleep(WAIT);
        drop(waiting);
        sleep(MOMENT);
        let waiting = local_wait();
        sleep(WAIT);
        drop(waiting);
        attempt.finish(outcome);
        let inner = latency(&metrics).saturating_sub(before);
        outer.finish(outcome);
        let both = latency(&metrics).saturating_sub(before);
        let took = started.elapsed();
        assert!(inner >= 2 * MOMENT && inner + 4 * WAIT <= took, "{round}: {inner:?} of {took:?}");
        // A wait recorded through the other attempt's method is not known to this one.
        let outer = both.saturating_sub(inner);
        assert!(outer >= 2 * MOMENT + WAIT && outer + 3 * WAIT <= took, "{round}: {outer:?} of {took:?}");
    }
    let in_flight = Samples::of(&metrics).value("bytelyst_bot_exchange_api_in_flight", LABELS);
    assert_eq!(in_flight, Some(0.0));
}

#[test]
fn a_local_wait_around_an_attempts_own_is_subtracted_once() {
    let metrics = Settings::new(Mode::Paper).build().expect("settings that are allowed");
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let started = Instant::now();
    let mut attempt = call.start();
    sleep(2 * WAIT);
    let around = local_wait();
    for _ in 0..6 {
        let waiting = attempt.local_wait();
        sleep(MOMENT);
        drop(waiting);
    }
    sleep(WAIT);
    drop(around);
    attempt.finish(Outcome::Ok);
    let (latency, took) = (latency(&metrics), started.elapsed());
    assert!(latency >= 2 * WAIT && latency + 6 * MOMENT + WAIT <= took, "{latency:?} of {took:?}");
}

#[test]
fn short_waits_are_subtracted_from_short_attempts_around_them() {
    let metrics = Settings::new(Mode::Paper).build().expect("settings that are allowed");
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let wait = Duration::from_millis(1);
    for _ in 0..50 {
        let before = latency(&metrics);
        let started = Instant::now();
        let outer = call.start();
        let inner = call.start();
        let waiting = local_wait();
        sleep(wait);
        drop(waiting);
        inner.finish(Outcome::Ok);
        outer.finish(Outcome::Ok);
        let took = started.elapsed();
        let both = latency(&metrics).saturating_sub(before);
        assert!(both + 2 * wait <= 2 * took, "{both:?} of {took:?} each");
    }
}

#[test]
fn waits_between_two_attempts_of_a_handle_or_on_another_thread_are_not_subtracted() {
    let metrics = Settings::new(Mode::Paper).build().expect("settings that are allowed");
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let wait = || {
        let _waiting = local_wait();
        sleep(WAIT);
    };
    call.start().finish(Outcome::Ok);
    wait();
    let attempt = call.start();
    sleep(MOMENT);
    std::thread::scope(|scope| scope.spawn(wait).join()).expect("no panic");
    attempt.finish(Outcome::Ok);
    assert!(latency(&metrics) >= WAIT + MOMENT, "{:?}", latency(&metrics));
}

#[exchange_call(op = "get_ticker", exchange = "kraken")]
async fn waits_for_itself() {
    let _waiting = local_wait();
    tokio::time::sleep(WAIT).await;
}

#[test]
fn a_wait_of_a_measured_future_is_not_subtracted_from_a_concurrent_attempt_of_a_handle() {
    let metrics = Settings::new(Mode::Paper).build().expect("settings that are allowed");
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let attempt = async {
            let attempt = call.start();
            tokio::time::sleep(2 * WAIT).await;
            attempt.finish(Outcome::Ok);
        };
        tokio::join!(attempt, waits_for_itself());
    });
    assert!(latency(&metrics) >= 2 * WAIT, "{:?}", latency(&metrics));
}
