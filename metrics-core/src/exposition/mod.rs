//! The connection to the crate `prometheus`: the library's families for any gather of its registry, and foreign
//! families for the library's server.

mod conformance;
mod failure;
mod foreign;
mod isolation;
pub(crate) mod naming;
mod own;
mod spelling;
#[cfg(test)]
mod tests;
pub(crate) mod text;

pub(crate) use foreign::Foreign;
pub(crate) use naming::Naming;
pub(crate) use own::{Exposed, InstanceId, OwnFamilies};
