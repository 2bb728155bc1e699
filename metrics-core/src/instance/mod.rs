//! One instance: its settings, its families, and the process-wide instance to which the attributes record.

pub(crate) mod registry;
pub(crate) mod settings;
