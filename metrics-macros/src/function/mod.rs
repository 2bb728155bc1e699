//! The item under an attribute: functions, their signatures and bodies, and `impl` blocks of them.

pub(crate) mod body;
pub(crate) mod impl_block;
pub(crate) mod item;
pub(crate) mod params;
pub(crate) mod returns;
pub(crate) mod shape;
