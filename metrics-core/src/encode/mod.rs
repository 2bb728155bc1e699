//! Spellings of a snapshot.

pub(crate) mod text;
