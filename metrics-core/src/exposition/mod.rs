//! The connection to the crate `prometheus`: the library's families for any gather of its registry, and foreign
//! families for the library's server; and the formats of the exposition.

mod collector_runs;
mod crate_models;
pub(crate) mod encoder;
mod failure;
#[cfg_attr(not(any(test, feature = "test-util")), allow(dead_code, reason = "checks of pages use the rest"))]
pub(crate) mod family_type;
pub(crate) mod filter;
mod foreign;
mod foreign_family;
#[cfg(any(test, feature = "check", feature = "server"))]
pub(crate) mod format;
mod isolation;
pub(crate) mod lines;
pub(crate) mod naming;
#[cfg(feature = "server")]
mod openmetrics;
mod own;
#[cfg(feature = "protobuf")]
pub(crate) mod protobuf;
#[cfg_attr(not(any(test, feature = "test-util")), allow(dead_code, reason = "checks of pages use the rest"))]
pub(crate) mod rules;
pub(crate) mod spelling;
#[cfg(test)]
mod tests;
pub(crate) mod text;

#[cfg(feature = "server")]
pub(crate) use collector_runs::CollectorRuns;
pub(crate) use collector_runs::WaitingClients;
#[cfg(feature = "linked-catalogue")]
pub(crate) use failure::FAILURE_REASONS;
pub(crate) use foreign::Foreign;
pub(crate) use naming::Naming;
pub(crate) use own::{Exposed, InstanceId, OwnFamilies};
