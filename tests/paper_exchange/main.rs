//! The paper exchange, tested over HTTP.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

mod disruptions;
mod exchange_api;
mod exchange_limits;
mod session;
mod signatures;
