//! A library that nobody calls.
use bot_metrics::prelude::*;

/// At once.
#[timed_subsystem("trading")]
pub fn LIBRARY_at_once() {}

/// Later.
#[timed_subsystem("trading")]
pub async fn LIBRARY_later() {
    std::future::ready(()).await;
}
