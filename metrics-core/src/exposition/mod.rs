//! The seam to the crate `prometheus`: our families for whoever gathers its registry, and foreign ones for our
//! server.

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
