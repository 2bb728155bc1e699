//! A library with label values of its own, and macros that annotate for others.
pub use bot_metrics;
use bot_metrics::prelude::*;

/// The seed's, and this library's own.
pub mod labels {
    pub use bot_metrics::labels::*;

    /// Not the bot's.
    #[derive(Clone, Copy, Debug, bot_metrics::LabelValue)]
    pub enum Subsystem {
        /// Writes away what happened.
        Archiving,
        /// Looks at it again.
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
