//! prometric: a struct of metrics, whose labels are looked up at each call.

use prometric::{Counter, Histogram};
use prometric_derive::metrics;

use super::timed;
use crate::{Contender, contender};

#[metrics(scope = "prometric", static)]
struct Api {
    /// Time of calls.
    #[metric(labels = ["exchange", "operation"], buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])]
    seconds: Histogram,
    /// Calls by outcome.
    #[metric(labels = ["exchange", "operation", "outcome"])]
    calls: Counter,
}

fn call(exchange: &str, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        API.seconds(exchange, "place_order").observe(duration.as_secs_f64());
        API.calls(exchange, "place_order", if failed { "error" } else { "ok" }).inc();
    })
}

pub(super) fn contenders() -> Vec<Contender> {
    vec![contender!("prometric", Function, |n| call("binance", n), call("bybit", n))]
}
