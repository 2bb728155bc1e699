//! The connection to the crate `prometheus`: the library's families for any gather of its registry, and foreign
//! families for the library's server; and the formats of the exposition.

mod conformance;
pub(crate) mod encoder;
mod failure;
pub(crate) mod filter;
mod foreign;
mod foreign_family;
#[cfg(feature = "server")]
pub(crate) mod format;
mod isolation;
mod lines;
pub(crate) mod naming;
#[cfg(feature = "server")]
mod openmetrics;
mod own;
#[cfg(feature = "protobuf")]
mod protobuf;
mod spelling;
#[cfg(test)]
mod tests;
pub(crate) mod text;

pub(crate) use foreign::Foreign;
pub(crate) use naming::Naming;
pub(crate) use own::{Exposed, InstanceId, OwnFamilies};
