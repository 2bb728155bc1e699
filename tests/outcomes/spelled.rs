//! Unusual spellings of return types are recognised like the usual ones.

use std::future::{Future, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bot_metrics::prelude::*;

use crate::labels::{self, Operation};
use crate::seen::{counts, ends, metrics, panics, samples};

fn finished<F: Future>(future: F) -> F::Output {
    let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(value) = polled else { panic!("it waits") };
    value
}

#[exchange_call(op = "spelled")]
#[allow(unused_parens)]
fn in_parentheses(fails: bool) -> (Result<u8, u8>) {
    if fails { Err(1) } else { Ok(1) }
}

#[exchange_call(op = "spelled")]
#[allow(unused_parens)]
async fn asynchronous_in_parentheses(fails: bool) -> (Result<u8, u8>) {
    if ready(fails).await { Err(1) } else { Ok(1) }
}

#[exchange_call(op = "spelled")]
#[allow(unused_parens)]
fn impl_future_in_parentheses(fails: bool) -> (impl Future<Output = (Result<u8, u8>)>) {
    ready(if fails { Err(1) } else { Ok(1) })
}

/// The types that a macro passes on are wrapped in invisible groups.
macro_rules! spelled {
    ($name:ident, $output:ty) => {
        #[exchange_call(op = "spelled")]
        pub(super) fn $name(fails: bool) -> $output {
            let result = if fails { Err(1) } else { Ok(1) };
            result
        }
    };
}

spelled! { through_a_macro, Result<u8, u8> }
#[allow(unused_parens)]
mod in_a_module {
    use super::*;
    spelled! { through_a_macro_in_parentheses, (Result<u8, u8>) }
}

#[test]
fn results_in_parentheses_and_from_macros_are_recognised() {
    metrics();
    for fails in [true, false] {
        let results = [
            in_parentheses(fails),
            finished(asynchronous_in_parentheses(fails)),
            finished(impl_future_in_parentheses(fails)),
            through_a_macro(fails),
            in_a_module::through_a_macro_in_parentheses(fails),
        ];
        assert_eq!(results.map(|result| result.is_err()), [fails; 5]);
    }
    assert_eq!(ends(Operation::Spelled), counts([("ok", 5), ("error", 5)]));
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

fn later(fails: bool) -> LocalBoxFuture<'static, Result<u8, u8>> {
    Box::pin(ready(if fails { Err(1) } else { Ok(1) }))
}

#[exchange_call(op = "spelled_boxed")]
fn local_box(fails: bool) -> LocalBoxFuture<'static, Result<u8, u8>> {
    later(fails)
}

#[exchange_call(op = "spelled_boxed")]
#[allow(unused_parens)]
fn box_in_parentheses(fails: bool) -> (BoxFuture<'static, Result<u8, u8>>) {
    Box::pin(async move { if ready(fails).await { Err(1) } else { Ok(1) } })
}

#[exchange_call(op = "spelled_boxed")]
#[allow(unused_parens)]
fn written_out_in_parentheses(fails: bool) -> (Pin<(Box<(dyn Future<Output = Result<u8, u8>>)>)>) {
    later(fails)
}

macro_rules! boxed {
    ($name:ident, $boxed:ty) => {
        #[exchange_call(op = "spelled_boxed")]
        fn $name(fails: bool) -> Pin<$boxed> {
            later(fails)
        }
    };
}

boxed! { box_through_a_macro, Box<dyn Future<Output = Result<u8, u8>>> }

#[test]
fn boxed_futures_are_measured_to_their_end() {
    metrics();
    for fails in [true, false] {
        let futures = [
            local_box(fails),
            box_in_parentheses(fails),
            written_out_in_parentheses(fails),
            box_through_a_macro(fails),
        ];
        let before =
            samples().sum("bytelyst_bot_exchange_api_requests_total", &[("operation", "spelled_boxed")]);
        assert_eq!(before, if fails { 0.0 } else { 4.0 }, "no future has run");
        assert_eq!(futures.map(|future| finished(future).is_err()), [fails; 4]);
    }
    assert_eq!(ends(Operation::SpelledBoxed), counts([("ok", 4), ("error", 4)]));
}

fn events(kind: &str) -> f64 {
    samples().sum("bytelyst_bot_operational_events_total", &[("type", kind)])
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[operational_event(type = "SPAWNED", severity = "INFO", on = return)]
fn spawns() -> tokio::task::JoinHandle<()> {
    tokio::spawn(std::future::pending())
}

#[operational_event(type = "SPAWNED", severity = "INFO")]
fn spawns_by_default() -> tokio::task::JoinHandle<()> {
    tokio::spawn(std::future::pending())
}

#[operational_event(type = "NOT_SPAWNED", severity = "ERROR", on = panic)]
fn spawns_nothing() -> tokio::task::JoinHandle<()> {
    panic!("no runtime")
}

#[test]
fn a_function_that_returns_a_task_ends_when_it_returns() {
    metrics();
    runtime().block_on(async {
        let tasks = [spawns(), spawns_by_default()];
        assert_eq!(events("SPAWNED"), 2.0);
        assert!(tasks.iter().all(|task| !task.is_finished()));
    });
    panics(|| drop(spawns_nothing()));
    assert_eq!(events("NOT_SPAWNED"), 1.0);
}

fn accepted<F: Future>(_: &F) -> Outcome {
    Outcome::Ok
}

/// The error message says that this is allowed.
#[exchange_call(op = "refused", classify = accepted)]
fn returns_a_future() -> std::future::Ready<u8> {
    ready(1)
}

#[test]
fn a_function_that_classifies_its_future_is_measured_without_it() {
    metrics();
    drop(returns_a_future());
    assert_eq!(ends(Operation::Refused), counts([("ok", 1)]));
}
