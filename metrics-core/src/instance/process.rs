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

/// The core that the attributes record to. It is there from the first recording on, installed or not, so that
/// nothing is lost that happens before `install`.
pub(crate) fn core() -> &'static Arc<Core> {
    FOUND.get_or_init(|| &PROCESS)
}

/// Like [`core`], but none where an allocator asks while this thread is inside a lock, perhaps making the core.
pub(crate) fn core_unless_inside() -> Option<&'static Arc<Core>> {
    FOUND.get_unless_inside(|| &PROCESS).copied()
}
