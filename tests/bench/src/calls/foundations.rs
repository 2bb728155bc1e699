//! foundations: its families, and those for labels of few values.

use foundations::telemetry::metrics::{
    Counter, HistogramBuilder, LowCardinalityLabel, TimeHistogram, metrics,
};
use serde::Serialize;

use super::{BOUNDS, timed};
use crate::{Contender, contender};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, LowCardinalityLabel)]
#[serde(rename_all = "snake_case")]
pub enum Exchange {
    Binance,
    Bybit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, LowCardinalityLabel)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    PlaceOrder,
    CancelOrder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, LowCardinalityLabel)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ok,
    Error,
}

#[metrics]
mod api {
    /// Time of calls.
    #[ctor = HistogramBuilder { buckets: &BOUNDS }]
    pub fn seconds(exchange: Exchange, operation: Operation) -> TimeHistogram;

    /// Calls by outcome.
    pub fn calls(exchange: Exchange, operation: Operation, outcome: Outcome) -> Counter;

    /// Time of calls.
    #[low_cardinality]
    #[ctor = HistogramBuilder { buckets: &BOUNDS }]
    pub fn few_seconds(exchange: Exchange, operation: Operation) -> TimeHistogram;

    /// Calls by outcome.
    #[low_cardinality]
    pub fn few_calls(exchange: Exchange, operation: Operation, outcome: Outcome) -> Counter;
}

fn outcome(failed: bool) -> Outcome {
    if failed { Outcome::Error } else { Outcome::Ok }
}

fn families(exchange: Exchange, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        api::seconds(exchange, Operation::PlaceOrder).observe(duration.as_nanos() as u64);
        api::calls(exchange, Operation::PlaceOrder, outcome(failed)).inc();
    })
}

fn low_cardinality(exchange: Exchange, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        api::few_seconds(exchange, Operation::CancelOrder).observe(duration.as_nanos() as u64);
        api::few_calls(exchange, Operation::CancelOrder, outcome(failed)).inc();
    })
}

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        contender!(
            "foundations, labels looked up",
            Function,
            |n| families(Exchange::Binance, n),
            families(Exchange::Bybit, n),
        ),
        contender!(
            "foundations, low cardinality",
            Function,
            |n| low_cardinality(Exchange::Binance, n),
            low_cardinality(Exchange::Bybit, n),
        ),
    ]
}
