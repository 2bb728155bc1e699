//! A library whose functions are never called.
use bot_metrics::prelude::*;

/// At once.
#[timed_subsystem("trading")]
pub fn LIBRARY_at_once() {}

/// Later.
#[timed_subsystem("trading")]
pub async fn LIBRARY_later() {
    std::future::ready(()).await;
}
