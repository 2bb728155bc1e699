//! The process-wide instance, to which the attributes record.

use std::sync::Arc;

use lazy_static::lazy_static;

use super::core::Core;
use crate::clock::Clock;
use crate::families::custom::process_series;
use crate::lock;

lazy_static! {
    static ref PROCESS: Arc<Core> = Arc::new(Core::new(Clock::System, Arc::clone(process_series())));
}

static FOUND: lock::Once<&Arc<Core>> = lock::Once::new();

/// The core to which the attributes record. It exists from the first recording on, installed or not, so that
/// recordings before `install` are kept.
pub(crate) fn core() -> &'static Arc<Core> {
    FOUND.get_or_init(|| &PROCESS)
}

/// Like [`core()`], but returns `None` when called re-entrantly while the core is being created.
pub(crate) fn core_unless_inside() -> Option<&'static Arc<Core>> {
    FOUND.get_unless_inside(|| &PROCESS).copied()
}
