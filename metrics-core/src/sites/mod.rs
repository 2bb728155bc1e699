//! The annotated functions of the binary, as listed by the linker.

pub(crate) mod call_site;
