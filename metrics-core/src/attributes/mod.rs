//! What the attributes expand to.

pub(crate) mod body;
pub(crate) mod future;
pub(crate) mod guard;
pub(crate) mod guards;
pub(crate) mod probe;
pub(crate) mod text;
