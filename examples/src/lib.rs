//! Support for the demo bots of `bot-metrics`: a paper exchange that replays a recorded market over HTTP, and faults
//! that make the exchange or the bot misbehave.
//!
//! This crate knows nothing about metrics: a fault changes the behaviour of the exchange or the bot, and the bot's
//! metrics have to show it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop where it fails"))]

pub mod binance;
pub mod clock;
pub mod demo;
pub mod duration;
pub mod exchange;
pub mod fault;
pub mod market;
pub mod recording;
pub mod signature;
pub mod switches;
