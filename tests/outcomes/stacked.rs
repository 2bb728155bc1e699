//! Several attributes on one function: each records what it would record alone, in the order of nesting.

#![allow(clippy::trivially_copy_pass_by_ref, reason = "`classify` passes references")]

use std::cell::RefCell;
use std::future::{Future, pending, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bot_metrics::exchange_call as call;
use bot_metrics::prelude::*;

use crate::labels::{self, Operation};
use crate::seen::{counts, ends, metrics, panics, samples};

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn finished<F: Future>(future: F) -> F::Output {
    let Poll::Ready(value) = poll(pin!(future)) else { panic!("it waits") };
    value
}

/// The number of calls by exchange and outcome.
fn ends_by_exchange(operation: Operation) -> Vec<(String, String, f64)> {
    let samples = samples();
    let labels = [("operation", operation.as_str())];
    assert_eq!(samples.sum("bytelyst_bot_exchange_api_in_flight", &labels), 0.0);
    samples
        .matching("bytelyst_bot_exchange_api_requests_total", &labels)
        .filter(|(_, value)| *value > 0.0)
        .map(|(series, value)| (series.labels["exchange"].clone(), series.labels["outcome"].clone(), value))
        .collect()
}

thread_local! {
    static STEPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn step<T>(name: &'static str, value: T) -> T {
    STEPS.with_borrow_mut(|steps| steps.push(name));
    value
}

fn steps() -> Vec<&'static str> {
    STEPS.take()
}

fn upper(_: &Result<u8, u8>) -> Outcome {
    step("upper judges", Outcome::RateLimited)
}

fn middle(_: &Result<u8, u8>) -> Outcome {
    step("middle judges", Outcome::Timeout)
}

fn lower(_: &Result<u8, u8>) -> Outcome {
    step("lower judges", Outcome::Decode)
}

macro_rules! ordered {
    ($($(#[$attribute:meta])* $name:ident ($($prefix:tt)*) ($output:ty) $body:block)*) => {
        $(
            #[exchange_call(op = "stacked_in_order", exchange = step("upper", labels::Exchange::Okx), classify = upper)]
            #[cfg_attr(all(), call(op = "stacked_in_order", exchange = step("middle", labels::Exchange::Kraken), classify = middle))]
            #[bot_metrics::exchange_call(op = "stacked_in_order", exchange = step("lower", labels::Exchange::Kucoin), classify = lower)]
            $(#[$attribute])*
            $($prefix)* fn $name() -> $output $body
        )*
    };
}

ordered! {
    waiting (async) (Result<u8, u8>) {
        ready(()).await;
        step("body", Ok(1))
    }
    #[allow(clippy::unused_async)]
    never_waiting (async) (Result<u8, u8>) {
        step("body", Ok(1))
    }
    #[allow(clippy::manual_async_fn)]
    returned () (impl Future<Output = Result<u8, u8>>) {
        async { step("body", Ok(ready(1).await)) }
    }
    boxed () (Pin<Box<dyn Future<Output = Result<u8, u8>> + Send>>) {
        Box::pin(async move { step("body", Ok(ready(1).await)) })
    }
    by_a_call () (impl Future<Output = Result<u8, u8>>) {
        std::future::poll_fn(|_| Poll::Ready(step("body", Ok(1))))
    }
    at_once () (Result<u8, u8>) {
        step("body", Ok(1))
    }
}

#[test]
fn stacked_attributes_begin_and_end_in_the_order_of_their_nesting() {
    const ORDER: [&str; 7] =
        ["lower", "middle", "upper", "body", "upper judges", "middle judges", "lower judges"];
    metrics();
    assert_eq!(finished(waiting()), Ok(1));
    assert_eq!(steps(), ORDER);
    assert_eq!(finished(never_waiting()), Ok(1));
    assert_eq!(steps(), ORDER);
    assert_eq!(finished(returned()), Ok(1));
    assert_eq!(steps(), ORDER);
    assert_eq!(finished(boxed()), Ok(1));
    assert_eq!(steps(), ORDER);
    assert_eq!(finished(by_a_call()), Ok(1));
    assert_eq!(steps(), ORDER);
    assert_eq!(at_once(), Ok(1));
    assert_eq!(steps(), ORDER);
    assert_eq!(
        ends_by_exchange(Operation::StackedInOrder),
        [("kraken", "timeout"), ("kucoin", "decode"), ("okx", "rate_limited")].map(|(exchange, outcome)| (
            exchange.to_owned(),
            outcome.to_owned(),
            6.0
        ))
    );
}

fn unlucky(fails: bool) -> labels::Exchange {
    assert!(!fails, "no such exchange");
    labels::Exchange::Okx
}

#[exchange_call(op = "stacked_and_panics", exchange = unlucky(fails))]
#[exchange_call(op = "stacked_and_panics", exchange = "kraken")]
async fn panics_above(fails: bool) -> Result<u8, u8> {
    ready(Ok(1)).await
}

#[exchange_call(op = "stacked_and_panics", exchange = unlucky(fails))]
#[exchange_call(op = "stacked_and_panics", exchange = "kraken")]
fn panics_above_at_once(fails: bool) -> Result<u8, u8> {
    Ok(1)
}

fn unlucky_judge(value: &Result<u8, u8>) -> Outcome {
    assert!(value.is_ok(), "it cannot be judged");
    Outcome::Ok
}

#[exchange_call(op = "stacked_and_panics", exchange = "okx")]
#[exchange_call(op = "stacked_and_panics", exchange = "kraken", classify = unlucky_judge)]
async fn panics_below() -> Result<u8, u8> {
    ready(Err(1)).await
}

#[exchange_call(op = "stacked_and_panics", exchange = "okx", classify = unlucky_judge)]
#[exchange_call(op = "stacked_and_panics", exchange = "kraken")]
async fn panics_in_the_upper_judge() -> Result<u8, u8> {
    ready(Err(1)).await
}

/// A panic of the attributes' own expressions ends the attributes that have started, and no others.
#[test]
fn an_expression_that_panics_ends_the_attributes_below_it() {
    metrics();
    let mut before = 0.0;
    let mut told = |run: &dyn Fn()| {
        panics(run);
        let ends = ends_by_exchange(Operation::StackedAndPanics);
        let panicked = |exchange| {
            let of = |(name, outcome, _): &&(String, String, f64)| name == exchange && outcome == "panic";
            ends.iter().find(of).map_or(0.0, |end| end.2)
        };
        let total: f64 = ends.iter().map(|end| end.2).sum();
        let others = total - std::mem::replace(&mut before, total);
        (panicked("kraken"), panicked("okx"), others)
    };
    assert_eq!(told(&|| _ = finished(panics_above(true))), (1.0, 0.0, 1.0));
    assert_eq!(told(&|| _ = panics_above_at_once(true)), (2.0, 0.0, 1.0));
    assert_eq!(told(&|| _ = finished(panics_below())), (3.0, 0.0, 2.0));
    assert_eq!(told(&|| _ = finished(panics_in_the_upper_judge())), (4.0, 1.0, 2.0));
}

const WAIT: Duration = Duration::from_millis(50);

#[exchange_call(op = "stacked_and_waits", exchange = "okx")]
#[timed_subsystem("waiting")]
#[exchange_call(op = "stacked_and_waits", exchange = "kraken")]
async fn waits_locally() -> Result<u8, u8> {
    ready(()).await;
    let _waiting = bot_metrics::local_wait();
    std::thread::sleep(WAIT);
    Ok(1)
}

#[test]
fn a_local_wait_is_subtracted_for_each_of_them() {
    metrics();
    let started = Instant::now();
    assert_eq!(finished(waits_locally()), Ok(1));
    let without_the_wait = started.elapsed().saturating_sub(WAIT).as_secs_f64();
    for exchange in ["okx", "kraken"] {
        let labels = [("operation", "stacked_and_waits"), ("exchange", exchange)];
        let seconds = samples().sum("bytelyst_bot_exchange_api_latency_seconds_sum", &labels);
        assert!(seconds < without_the_wait + 0.001, "{exchange}: {seconds} s of {without_the_wait}");
    }
    let labels = [("subsystem", "waiting")];
    let seconds = samples().sum("bytelyst_bot_subsystem_duration_seconds_sum", &labels);
    assert!(seconds > WAIT.as_secs_f64() - 0.001, "{seconds} s");
}

struct Api;

#[exchange_call(exchange = "okx")]
impl Api {
    #[timed_subsystem("stacked")]
    async fn stacked_over_a_block(&self, fails: bool) -> Result<u8, u8> {
        if ready(fails).await { Err(1) } else { Ok(1) }
    }
}

#[test]
fn a_block_and_a_method_may_have_an_attribute_each() {
    metrics();
    let _ = (finished(Api.stacked_over_a_block(true)), finished(Api.stacked_over_a_block(false)));
    assert_eq!(ends(Operation::StackedOverABlock), counts([("ok", 1), ("error", 1)]));
}

fn exchange_of(known: bool) -> Result<labels::Exchange, u8> {
    known.then_some(labels::Exchange::Okx).ok_or(2)
}

#[exchange_call(op = "stacked_and_returns", exchange = exchange_of(known)?)]
#[exchange_call(op = "stacked_and_returns", exchange = "kraken")]
fn returns_above_at_once(known: bool) -> Result<u8, u8> {
    Ok(1)
}

#[exchange_call(op = "stacked_and_returns", exchange = exchange_of(known)?)]
#[exchange_call(op = "stacked_and_returns", exchange = "kraken")]
async fn returns_above(known: bool) -> Result<u8, u8> {
    ready(Ok(1)).await
}

#[exchange_call(op = "stacked_and_returns", exchange = { pending::<()>().await; labels::Exchange::Okx })]
#[exchange_call(op = "stacked_and_returns", exchange = "kraken")]
async fn waits_above() -> Result<u8, u8> {
    ready(Ok(1)).await
}

/// An expression of an attribute above is part of the call for those below, however it leaves the function.
#[test]
fn an_expression_that_returns_or_waits_is_not_a_panic() {
    metrics();
    assert_eq!(returns_above_at_once(false), Err(2));
    assert_eq!(finished(returns_above(false)), Err(2));
    assert!(poll(pin!(waits_above())).is_pending());
    assert_eq!(ends(Operation::StackedAndReturns), counts([("error", 2), ("cancelled", 1)]));
    assert_eq!(returns_above_at_once(true), Ok(1));
    assert_eq!(finished(returns_above(true)), Ok(1));
    assert_eq!(ends(Operation::StackedAndReturns), counts([("error", 2), ("cancelled", 1), ("ok", 4)]));
}
