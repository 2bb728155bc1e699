//! The annotated functions of the binary, as the linker lists them.

pub(crate) mod call_site;
pub(crate) mod target;
