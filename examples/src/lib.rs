//! Support for the demo bots of `bot-metrics`: a paper exchange that replays a recorded market over HTTP, and faults
//! that make the exchange or the bot misbehave.
//!
//! Neither the exchange nor a fault records a metric: a fault changes the behaviour of the exchange or the bot, whose
//! metrics have to show it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop where it fails"))]

pub mod binance;
pub mod clock;
pub mod demo;
pub mod duration;
pub mod exchange;
pub mod fault;
pub mod market;
pub mod random;
pub mod recording;
pub mod signature;
pub mod switches;
