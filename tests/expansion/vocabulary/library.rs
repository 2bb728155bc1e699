//! A library with its own label values, and macros that annotate functions of other crates.
pub use bot_metrics;
use bot_metrics::prelude::*;

/// The labels of bot-metrics and this library's own.
pub mod labels {
    pub use bot_metrics::labels::*;

    /// Different from the bot's.
    #[derive(Clone, Copy, Debug, bot_metrics::LabelValue)]
    pub enum Subsystem {
        /// Archives events.
        Archiving,
        /// Audits the archive.
        Auditing,
    }
}

/// Declares a function with this library's labels.
#[macro_export]
macro_rules! auditing {
    ($name:ident) => {
        #[$crate::bot_metrics::timed_subsystem("auditing", labels = $crate::labels, crate = $crate::bot_metrics)]
        fn $name() {}
    };
}

/// Declares a function with the caller's labels.
#[macro_export]
macro_rules! measured {
    ($name:ident, $subsystem:literal) => {
        #[$crate::bot_metrics::timed_subsystem($subsystem, crate = $crate::bot_metrics)]
        fn $name() {}
    };
}

/// Measured under this library's label.
#[timed_subsystem("archiving")]
pub fn archive() {}
