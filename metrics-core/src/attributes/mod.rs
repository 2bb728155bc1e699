//! The functions and types to which the attributes expand: a guard for each attribute, and the execution of a body
//! under it.

pub(crate) mod body;
pub(crate) mod capital;
pub(crate) mod event;
pub(crate) mod exchange;
pub(crate) mod future;
pub(crate) mod guards;
pub(crate) mod measured;
pub mod private;
pub(crate) mod probe;
pub(crate) mod reconciliation;
pub(crate) mod subsystem;
pub(crate) mod text;
