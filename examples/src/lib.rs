//! What the demo bots of `bot-metrics` stand on: a paper exchange that replays a recorded market over HTTP,
//! and the switchboard of faults with which a demonstration makes the exchange or the bot really misbehave.
//!
//! Neither knows of metrics: a fault changes what the exchange or the bot *does*, and the bot's metrics have to notice
//! by themselves.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop where it fails"))]

pub mod binance;
pub mod clock;
pub mod demo;
pub mod duration;
pub mod exchange;
pub mod fault;
pub mod market;
pub mod recording;
