//! The paper exchange as its users meet it: over HTTP.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

mod exchange_api;
mod exchange_limits;
mod session;
