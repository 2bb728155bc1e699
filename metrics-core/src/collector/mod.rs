//! The seam to the crate `prometheus`: our families for whoever gathers its registry, and foreign ones for our
//! server.

mod foreign;
mod own;

pub(crate) use foreign::{Foreign, isolated_collector};
pub(crate) use own::OwnFamilies;
