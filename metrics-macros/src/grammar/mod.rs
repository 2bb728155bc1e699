//! What is written between an attribute's parentheses: which keys there are, and how their values are read.

pub(crate) mod args;
pub(crate) mod attribute;
mod entries;
pub(crate) mod outcome_filter;
pub(crate) mod outcome_words;
pub(crate) mod value;
