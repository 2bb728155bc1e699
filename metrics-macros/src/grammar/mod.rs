//! The arguments of an attribute: the table of keys, and how their values are read.

pub(crate) mod args;
pub(crate) mod attribute;
pub(crate) mod entries;
pub(crate) mod outcome_filter;
pub(crate) mod outcome_words;
pub(crate) mod value;
