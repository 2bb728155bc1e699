//! The samples of the process-wide instance.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bot_metrics::labels::Exchange;
use bot_metrics::testing::Samples;
use bot_metrics::{LabelValue, Metrics, Mode, Settings};

use crate::labels::Operation;

pub(crate) fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| Settings::new(Mode::Paper).exchange(Exchange::Paper).install().unwrap())
}

pub(crate) fn samples() -> Samples {
    Samples::of(metrics())
}

/// The number of calls of an operation by outcome, once all have ended.
pub(crate) fn ends(operation: Operation) -> BTreeMap<String, f64> {
    let samples = samples();
    let labels = [("operation", operation.as_str())];
    let in_flight = samples.sum("bytelyst_bot_exchange_api_in_flight", &labels);
    assert_eq!(in_flight, 0.0, "{operation:?} is still in flight");
    let mut ends = BTreeMap::new();
    let requests = samples.matching("bytelyst_bot_exchange_api_requests_total", &labels);
    for (series, value) in requests.filter(|(_, value)| *value > 0.0) {
        *ends.entry(series.labels["outcome"].clone()).or_default() += value;
    }
    let observed = samples.sum("bytelyst_bot_exchange_api_latency_seconds_count", &labels);
    assert_eq!(observed, ends.values().sum::<f64>(), "each end of {operation:?} has a duration");
    ends
}

/// Converts a list of outcomes for comparison.
pub(crate) fn counts<const N: usize>(ends: [(&str, u32); N]) -> BTreeMap<String, f64> {
    ends.into_iter().map(|(outcome, count)| (outcome.to_owned(), f64::from(count))).collect()
}

pub(crate) fn panics<R>(run: impl FnOnce() -> R) {
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err(), "no panic was propagated");
}
