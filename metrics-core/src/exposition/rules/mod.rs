//! The rules that every family keeps, of foreign code or on a page.

pub(crate) mod description;
pub(crate) mod family;
pub(crate) mod fault;
pub(super) mod registry;
