//! Spellings of a scrape.

pub(crate) mod text;
