//! `fastrace::trace`.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bot_metrics::prelude::*;
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::future::FutureExt as _;
use fastrace::local::LocalSpan;

use crate::labels::{self, Operation};
use crate::{ends, metrics, one_turn, run};

crate::functions! { "raced": #[fastrace::trace(short_name = true)] }
crate::blocks! { raced #[fastrace::trace(short_name = true)] }

async fn body(value: u8) -> Result<u8, u8> {
    drop(LocalSpan::enter_with_local_parent("begins"));
    one_turn().await;
    drop(LocalSpan::enter_with_local_parent("ends"));
    if value == 0 { Err(value) } else { Ok(value) }
}

/// Alone, `fastrace::trace` would drop the statements in front of the tail.
#[exchange_call(op = "early_raced")]
#[fastrace::trace(short_name = true)]
fn return_before_tail(value: u8) -> Pin<Box<dyn Future<Output = Result<u8, u8>> + Send>> {
    if value == 9 {
        return Box::pin(async move { Err(value) });
    }
    Box::pin(async move { body(value).await })
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<SpanRecord>>>);

impl Reporter for Seen {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        self.0.lock().unwrap().extend(spans);
    }
}

impl Seen {
    /// The result of a call and its spans, each as `name in parent`.
    fn spans<F: Future>(&self, call: impl FnOnce() -> F) -> (F::Output, Vec<String>) {
        let root = fastrace::Span::root("root", SpanContext::random());
        let value = {
            let _root = root.set_local_parent();
            call()
        };
        let value = run(value.in_span(root), || {});
        fastrace::flush();
        let spans = std::mem::take(&mut *self.0.lock().unwrap());
        let parent = |span: &SpanRecord| {
            spans.iter().find(|parent| parent.span_id == span.parent_id).map(|parent| parent.name.clone())
        };
        let mut named: Vec<_> =
            spans.iter().filter_map(|span| Some(format!("{} in {}", span.name, parent(span)?))).collect();
        named.sort();
        (value, named)
    }
}

#[test]
fn a_span_is_around_the_body_and_the_call_is_measured_whichever_is_above() {
    metrics();
    let seen = Seen::default();
    fastrace::set_reporter(seen.clone(), Config::default());
    let mut calls = 0.0;
    macro_rules! spans {
        ($($name:literal: $call:expr;)*) => {
            $(
                for value in [0, 1] {
                    let (result, spans) = seen.spans(|| ($call)(value));
                    assert_eq!(result.is_ok(), value == 1);
                    let name = $name;
                    let mut expected =
                        vec![format!("begins in {name}"), format!("ends in {name}"), format!("{name} in root")];
                    expected.sort();
                    assert_eq!(spans, expected, "{}", stringify!($call));
                }
                calls += 1.0;
                assert_eq!(
                    ends(Operation::Raced),
                    [("error".to_owned(), calls), ("ok".to_owned(), calls)].into(),
                    "{}", stringify!($call)
                );
            )*
        };
    }
    spans! {
        "above": above;
        "below": below;
        "on_both_sides": on_both_sides;
        "two_above": two_above;
        "boxed_above": boxed_above;
        "boxed_below": boxed_below;
        "method_above": |value| Venue.method_above(value);
        "method_below": |value| Venue.method_below(value);
        "trait_above": |value| Venue.trait_above(value);
        "trait_below": |value| Venue.trait_below(value);
        "default_above": |value| Venue.default_above(value);
        "raced": |value| AboveAsyncTrait.raced(value);
        "raced": |value| BelowAsyncTrait.raced(value);
        "raced": |value| Inherent.raced(value);
    }
}

#[test]
fn statements_in_front_of_a_boxed_future_are_kept() {
    metrics();
    assert_eq!([1, 9].map(|value| run(return_before_tail(value), || {})), [Ok(1), Err(9)]);
    assert_eq!(ends(Operation::EarlyRaced), [("error".to_owned(), 1.0), ("ok".to_owned(), 1.0)].into());
}
