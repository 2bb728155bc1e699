//! The costs of recording for its host and its robustness, through the attributes, in one process whose allocator
//! counts.
//!
//! Runs short versions by default; `BOT_METRICS_LONG_TESTS=1` with `--release` runs the promised sizes.

mod allocations;
mod allocator;
mod forks;
mod labels;
mod places;
mod scrapes;
mod stopped;
mod tracing_events;

use std::sync::{LazyLock, Mutex};

use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;

/// The process-wide instance, which all tests here share: each reads differences of its own series.
static METRICS: LazyLock<Metrics> =
    LazyLock::new(|| Settings::new(Mode::Paper).install().expect("one installation"));

/// Held by tests that must not run concurrently with a fork.
static NO_FORKS: Mutex<()> = Mutex::new(());

fn full() -> bool {
    std::env::var_os("BOT_METRICS_LONG_TESTS").is_some()
}

/// The number of attempts of an operation at Kraken with this outcome.
fn requests(operation: &str, outcome: &str) -> f64 {
    let labels = [("exchange", "kraken"), ("operation", operation), ("outcome", outcome)];
    let samples = Samples::of(&METRICS);
    samples.value("bytelyst_bot_exchange_api_requests_total", &labels).unwrap_or(0.0)
}

/// The number of attempts of an operation at Kraken that are in progress.
fn in_flight(operation: &str) -> f64 {
    let labels = [("exchange", "kraken"), ("operation", operation)];
    Samples::of(&METRICS).value("bytelyst_bot_exchange_api_in_flight", &labels).unwrap_or(0.0)
}
