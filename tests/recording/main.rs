//! What recording costs its host and what it survives, through the attributes, in one process whose allocator counts.
//!
//! Short as it stands; `BOT_METRICS_LONG_TESTS=1` with `--release` runs the sizes that `faults` promises.

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

/// The process-wide instance, which all tests here share: they read differences of series of their own.
static METRICS: LazyLock<Metrics> =
    LazyLock::new(|| Settings::new(Mode::Paper).install().expect("one installation"));

/// Held by who must not run beside a fork.
static NO_FORKS: Mutex<()> = Mutex::new(());

fn full() -> bool {
    std::env::var_os("BOT_METRICS_LONG_TESTS").is_some()
}

/// Attempts of an operation at Kraken that ended so.
fn requests(operation: &str, outcome: &str) -> f64 {
    let labels = [("exchange", "kraken"), ("operation", operation), ("outcome", outcome)];
    let samples = Samples::of(&METRICS);
    samples.value("bytelyst_bot_exchange_api_requests_total", &labels).unwrap_or(0.0)
}

/// Attempts of an operation at Kraken that are under way.
fn in_flight(operation: &str) -> f64 {
    let labels = [("exchange", "kraken"), ("operation", operation)];
    Samples::of(&METRICS).value("bytelyst_bot_exchange_api_in_flight", &labels).unwrap_or(0.0)
}
