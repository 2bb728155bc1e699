//! Prometheus metrics for trading bots.
