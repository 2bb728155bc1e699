//! `tracing::instrument`.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;
use tracing::field::{Field, Visit};
use tracing::subscriber::with_default;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::labels::{self, Operation};
use crate::{ends, metrics, one_turn, run};

crate::functions! { "traced": #[tracing::instrument(skip_all, err(Debug))] }
crate::blocks! { traced #[tracing::instrument(skip_all, err(Debug))] }

async fn body(value: u8) -> Result<u8, u8> {
    tracing::info!("begins");
    one_turn().await;
    tracing::info!("ends");
    if value == 0 { Err(value) } else { Ok(value) }
}

#[exchange_call(op = "traced")]
#[tracing::instrument(skip_all, err(Debug))]
fn returned_above(value: u8) -> impl Future<Output = Result<u8, u8>> {
    async move { body(value).await }
}

#[tracing::instrument(skip_all, err(Debug))]
#[exchange_call(op = "traced")]
fn returned_below(value: u8) -> impl Future<Output = Result<u8, u8>> {
    async move { body(value).await }
}

fn length(text: &str) -> u8 {
    text.len().try_into().unwrap()
}

/// Returns from the function in front of its tail, as a macro call there may.
macro_rules! refuse_nine {
    ($text:ident, $value:ident) => {
        if $value == 9 {
            return Box::pin(async move { Err(length(&$text)) });
        }
    };
}

#[exchange_call(op = "early")]
#[tracing::instrument(err(Debug))]
fn macro_before_tail(text: String, value: u8) -> Pin<Box<dyn Future<Output = Result<u8, u8>> + Send>> {
    refuse_nine!(text, value);
    Box::pin(async move { body(value.min(length(&text))).await })
}

#[operational_event(type = "STARTED", severity = "INFO", symbol = text, on = always)]
#[exchange_call(op = "early")]
#[tracing::instrument(fields(length = text.len()), err(Debug))]
fn return_before_tail(text: String, value: u8) -> Pin<Box<dyn Future<Output = Result<u8, u8>> + Send>> {
    if value == 9 {
        return Box::pin(async move { Err(length(&text)) });
    }
    Box::pin(async move { body(value.min(length(&text))).await })
}

struct Early(u8);

#[operational_event(type = "STARTED", severity = "INFO", on = always)]
#[operational_event(type = "STARTED", severity = "WARNING", on = always)]
#[exchange_call]
impl Early {
    #[tracing::instrument(skip(self), err(Debug))]
    fn early(&self, text: String, value: u8) -> Pin<Box<dyn Future<Output = Result<u8, u8>> + Send>> {
        let length = self.0;
        refuse_nine!(text, value);
        Box::pin(async move { body(value.min(length)).await })
    }
}

#[exchange_call(op = "follows_from")]
#[operational_event(type = "STARTED", severity = "INFO", on = ok)]
#[tracing::instrument(follows_from = causes)]
async fn follows_from(causes: Vec<tracing::Id>) -> Result<u8, u8> {
    Ok(1)
}

/// Each event with the names of its enclosing spans.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if matches!(field.name(), "message" | "error") {
            self.0 = format!("{}{value:?}", if field.name() == "error" { "error " } else { "" });
        }
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let spans: Vec<_> =
            context.event_scope(event).into_iter().flatten().map(|span| span.name()).collect();
        self.0.lock().unwrap().push(format!("{} in {spans:?}", message.0));
    }
}

/// The result of a call, its events, and those between its polls.
fn events<F: Future>(call: impl FnOnce() -> F) -> (F::Output, Vec<String>) {
    let seen = Seen::default();
    let value =
        with_default(Registry::default().with(seen.clone()), || run(call(), || tracing::info!("outside")));
    let events = std::mem::take(&mut *seen.0.lock().unwrap());
    (value, events)
}

#[test]
fn a_span_is_around_the_body_and_the_call_is_measured_whichever_is_above() {
    metrics();
    let mut calls = 0.0;
    macro_rules! spans {
        ($($name:literal: $call:expr;)*) => {
            $(
                for value in [0, 1] {
                    let (result, seen) = events(|| ($call)(value));
                    assert_eq!(result.is_ok(), value == 1);
                    let name = $name;
                    let mut expected = vec![
                        format!("begins in [{name:?}]"),
                        "outside in []".to_owned(),
                        format!("ends in [{name:?}]"),
                    ];
                    if value == 0 {
                        expected.push(format!("error 0 in [{name:?}]"));
                    }
                    expected.push("outside in []".to_owned());
                    assert_eq!(seen, expected, "{}", stringify!($call));
                }
                calls += 1.0;
                assert_eq!(
                    ends(Operation::Traced),
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
        "returned_above": returned_above;
        "returned_below": returned_below;
        "method_above": |value| Venue.method_above(value);
        "method_below": |value| Venue.method_below(value);
        "trait_above": |value| Venue.trait_above(value);
        "trait_below": |value| Venue.trait_below(value);
        "default_above": |value| Venue.default_above(value);
        "traced": |value| AboveAsyncTrait.traced(value);
        "traced": |value| BelowAsyncTrait.traced(value);
        "traced": |value| Inherent.traced(value);
    }
}

#[test]
fn a_boxed_future_behind_a_return_is_seen() {
    metrics();
    let mut calls = 0.0;
    macro_rules! spans {
        ($($name:literal: $call:expr;)*) => {
            $(
                let (result, seen) = events(|| ($call)("text".to_owned(), 0));
                assert_eq!(result, Err(0));
                let name = $name;
                let expected = [
                    format!("begins in [{name:?}]"),
                    "outside in []".to_owned(),
                    format!("ends in [{name:?}]"),
                    format!("error 0 in [{name:?}]"),
                    "outside in []".to_owned(),
                ];
                assert_eq!(seen, expected, "{}", stringify!($call));
                assert_eq!(events(|| ($call)("text".to_owned(), 1)).0, Ok(1));
                // The earlier return is measured too.
                assert_eq!(events(|| ($call)("text".to_owned(), 9)).0, Err(4));
                calls += 1.0;
                assert_eq!(
                    ends(Operation::Early),
                    [("error".to_owned(), 2.0 * calls), ("ok".to_owned(), calls)].into(),
                    "{}", stringify!($call)
                );
            )*
        };
    }
    spans! {
        "macro_before_tail": macro_before_tail;
        "return_before_tail": return_before_tail;
        "early": |text, value| Early(1).early(text, value);
    }
    let started = |severity| {
        let labels = [("type", "STARTED"), ("severity", severity)];
        Samples::of(metrics()).sum("bytelyst_bot_operational_events_total", &labels)
    };
    assert_eq!((started("WARNING"), started("INFO") >= 6.0), (3.0, true));
}

#[test]
fn arguments_of_a_neighbour_are_left_to_it() {
    metrics();
    assert_eq!(events(|| follows_from(Vec::new())).0, Ok(1));
    assert_eq!(ends(Operation::FollowsFrom), [("ok".to_owned(), 1.0)].into());
}
