//! One instance: its settings, its families, and the process-wide instance to which the attributes record.

pub(crate) mod core;
pub(crate) mod env_reader;
mod install;
pub(crate) mod metrics;
pub(crate) mod process;
#[cfg(feature = "page")]
pub(crate) mod sampling;
#[cfg(feature = "page")]
pub(crate) mod scrape_count;
pub(crate) mod settings;
