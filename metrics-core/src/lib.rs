//! Prometheus metrics for trading bots.

#[cfg(feature = "server")]
pub mod server;
