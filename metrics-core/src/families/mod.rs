//! The catalogue's families and a bot's own: how each is recorded and what it exports.

pub(crate) mod capital;
pub(crate) mod custom;
pub(crate) mod event;
pub(crate) mod exchange;
pub(crate) mod market_data;
pub(crate) mod process;
#[cfg(feature = "page")]
pub(crate) mod profile_times;
pub(crate) mod profiles;
pub(crate) mod rate_limit;
pub(crate) mod recent;
pub(crate) mod reconciliation;
#[cfg(feature = "tokio")]
pub(crate) mod scheduler;
pub(crate) mod subsystem;
