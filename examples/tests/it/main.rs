//! The paper exchange and the paper-bot as their users meet them: over HTTP and on a command line.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

mod exchange_api;
mod exchange_limits;
mod paper_bot;
mod session;
