//! Attributes of other crates that wrap a function's body, above and below this library's: each behaves as it does
//! alone.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::manual_async_fn, clippy::unused_async, reason = "they are the shapes")]

mod fastrace_spans;
mod tracing_spans;

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use bot_metrics::testing::Samples;
use bot_metrics::{LabelValue, Metrics, Mode, Settings};

mod labels {
    use bot_metrics::LabelValue;
    pub(crate) use bot_metrics::labels::{EventType, Exchange, Severity};

    /// One operation for each test, because they share the instance.
    #[derive(Clone, Copy, Debug, LabelValue)]
    pub(crate) enum Operation {
        Traced,
        Raced,
        FollowsFrom,
        Early,
        EarlyRaced,
    }
}

fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| Settings::new(Mode::Paper).exchange(labels::Exchange::Paper).install().unwrap())
}

/// The number of calls of an operation by outcome.
fn ends(operation: labels::Operation) -> BTreeMap<String, f64> {
    let samples = Samples::of(metrics());
    let labels = [("operation", operation.as_str())];
    assert_eq!(samples.sum("bytelyst_bot_exchange_api_in_flight", &labels), 0.0);
    let requests = samples.matching("bytelyst_bot_exchange_api_requests_total", &labels);
    requests
        .filter(|(_, value)| *value > 0.0)
        .map(|(series, value)| (series.labels["outcome"].clone(), value))
        .collect()
}

/// Polls a future until it is ready, with `between` after each poll.
fn run<F: Future>(future: F, mut between: impl FnMut()) -> F::Output {
    let mut future = pin!(future);
    loop {
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        between();
        if let Poll::Ready(value) = polled {
            return value;
        }
    }
}

/// Pending once, then ready.
async fn one_turn() {
    let mut waited = false;
    poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// The functions of both modules: `$spans` wraps the body in a span of the function's name, and `seen` is called in
/// that span at the start of the body and after its wait.
macro_rules! functions {
    ($op:literal: #[$spans:meta]) => {
        struct Venue;

        #[exchange_call(op = $op)]
        #[$spans]
        async fn above(value: u8) -> Result<u8, u8> {
            body(value).await
        }

        #[$spans]
        #[exchange_call(op = $op)]
        async fn below(value: u8) -> Result<u8, u8> {
            body(value).await
        }

        #[exchange_call(op = $op)]
        #[$spans]
        #[operational_event(type = "STARTED", severity = "INFO", symbol = symbol(value))]
        async fn on_both_sides(value: u8) -> Result<u8, u8> {
            body(value).await
        }

        #[operational_event(type = "STARTED", severity = "INFO", symbol = symbol(value))]
        #[exchange_call(op = $op)]
        #[$spans]
        async fn two_above(value: u8) -> Result<u8, u8> {
            body(value).await
        }

        #[exchange_call(op = $op)]
        #[$spans]
        fn boxed_above(value: u8) -> std::pin::Pin<Box<dyn Future<Output = Result<u8, u8>> + Send>> {
            Box::pin(async move { body(value).await })
        }

        #[$spans]
        #[exchange_call(op = $op)]
        fn boxed_below(value: u8) -> std::pin::Pin<Box<dyn Future<Output = Result<u8, u8>> + Send>> {
            Box::pin(async move { body(value).await })
        }

        impl Venue {
            #[operational_event(type = "STARTED", severity = "INFO", symbol = symbol(value))]
            #[exchange_call(op = $op)]
            #[$spans]
            async fn method_above(&self, value: u8) -> Result<u8, u8> {
                body(value).await
            }

            #[$spans]
            #[operational_event(type = "STARTED", severity = "INFO", symbol = symbol(value))]
            #[exchange_call(op = $op)]
            async fn method_below(&self, value: u8) -> Result<u8, u8> {
                body(value).await
            }
        }

        #[async_trait::async_trait]
        trait Traded {
            async fn trait_above(&self, value: u8) -> Result<u8, u8>;
            async fn trait_below(&self, value: u8) -> Result<u8, u8>;

            #[operational_event(type = "STARTED", severity = "INFO", symbol = symbol(value))]
            #[exchange_call(op = $op)]
            #[$spans]
            async fn default_above(&self, value: u8) -> Result<u8, u8> {
                body(value).await
            }
        }

        #[async_trait::async_trait]
        impl Traded for Venue {
            #[operational_event(type = "STARTED", severity = "INFO", symbol = symbol(value))]
            #[exchange_call(op = $op)]
            #[$spans]
            async fn trait_above(&self, value: u8) -> Result<u8, u8> {
                body(value).await
            }

            #[$spans]
            #[operational_event(type = "STARTED", severity = "INFO", symbol = symbol(value))]
            #[exchange_call(op = $op)]
            async fn trait_below(&self, value: u8) -> Result<u8, u8> {
                body(value).await
            }
        }

        fn symbol(value: u8) -> String {
            format!("S{value}")
        }
    };
}

/// The attributes over whole blocks, where the method's name is the operation.
macro_rules! blocks {
    ($operation:ident #[$spans:meta]) => {
        #[async_trait::async_trait]
        trait Block {
            async fn $operation(&self, value: u8) -> Result<u8, u8>;
        }

        struct AboveAsyncTrait;

        #[exchange_call]
        #[async_trait::async_trait]
        impl Block for AboveAsyncTrait {
            #[$spans]
            async fn $operation(&self, value: u8) -> Result<u8, u8> {
                body(value).await
            }
        }

        struct BelowAsyncTrait;

        #[async_trait::async_trait]
        #[exchange_call]
        impl Block for BelowAsyncTrait {
            #[$spans]
            async fn $operation(&self, value: u8) -> Result<u8, u8> {
                body(value).await
            }
        }

        struct Inherent;

        #[exchange_call]
        impl Inherent {
            #[$spans]
            async fn $operation(&self, value: u8) -> Result<u8, u8> {
                body(value).await
            }
        }
    };
}

use {blocks, functions};
