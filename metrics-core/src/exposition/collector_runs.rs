//! A run of the bot's collectors that all pages share whose clients waited for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::foreign::CheckedFamily;

/// The last run of the collectors, kept while clients wait that asked before it began.
#[derive(Debug, Default)]
pub(crate) struct CollectorRuns(Mutex<Option<CollectorRun>>);

#[derive(Debug)]
struct CollectorRun {
    begun: Instant,
    families: Arc<[CheckedFamily]>,
}

/// The clients that wait for a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct WaitingClients {
    /// The time of the last request; `None` if it has to be assumed to be now.
    pub(crate) asked: Option<Instant>,
    pub(crate) runs: Arc<CollectorRuns>,
}

impl WaitingClients {
    /// The families of the last run if it began after these clients asked, so that they see everything that was recorded
    /// before; otherwise of a new run.
    pub(crate) fn families(&self, run: impl FnOnce() -> Arc<[CheckedFamily]>) -> Arc<[CheckedFamily]> {
        if let (Some(asked), Some(last)) = (self.asked, &*self.runs.last())
            && asked <= last.begun
        {
            return Arc::clone(&last.families);
        }
        let begun = Instant::now();
        let families = run();
        *self.runs.last() = Some(CollectorRun { begun, families: Arc::clone(&families) });
        families
    }
}

impl CollectorRuns {
    /// The time at which the last run began, if it is kept.
    #[cfg(feature = "server")]
    pub(crate) fn begun(&self) -> Option<Instant> {
        self.last().as_ref().map(|last| last.begun)
    }

    /// Drops the families of the last run.
    #[cfg(feature = "server")]
    pub(crate) fn forget(&self) {
        let last = self.last().take();
        drop(last);
    }

    fn last(&self) -> MutexGuard<'_, Option<CollectorRun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
