//! The state of a bot, as the status page shows it: for a program of the bot's own, or one that reads `/status.json`.
//!
//! ```
//! use bot_metrics::labels::Subsystem;
//! use bot_metrics::status::SubsystemState;
//! use bot_metrics::{Mode, Outcome, Settings};
//!
//! let metrics = Settings::new(Mode::Paper).build()?;
//! metrics.subsystem(Subsystem::Trading).start().finish(Outcome::Error);
//! let status = metrics.status();
//! assert_eq!(status.subsystems[0].state, SubsystemState::Failing);
//! assert_eq!(status.subsystems[0].outcomes["error"], 1);
//! # Ok::<(), bot_metrics::Error>(())
//! ```
//!
//! # As JSON
//!
//! The server answers `/status.json` with a [`Status`], whose fields are named as here. A number that JSON lacks is a
//! text: `"+Inf"`, `"-Inf"` or `"NaN"`, in the fields whose documentation says so. `/status.json?since=N`, with the
//! `sequence` of an earlier answer, leaves out the events and the steps of the history up to that one; everything else
//! is in every answer. A reader that polls so
//!
//! - drops events and steps whose sequence number it has: those of the last second may come twice;
//! - forgets everything if `run` differs from that of the last answer, since the bot was restarted;
//! - moves the moments that it has, except those of events, by the difference if `started` differs from that of the last
//!   answer and `run` does not, since the wall clock was set.
//!
//! A `since` that no answer has given yet is taken as 0, and the answer is complete. One that is not a number is
//! answered with 400.
//!
//! `/catalogue` is a [`Catalogue`].
//!
//! # The history
//!
//! While a server or a mounted service runs, it samples the instance once a second on a thread that renders pages; code
//! that records takes no part in it. The history takes at most 1 MiB of memory, whatever the bot records.

mod build;
#[cfg(test)]
mod call_tests;
mod calls;
mod catalogue;
#[cfg(test)]
mod fault_tests;
mod fault_times;
mod number;
mod own;
mod past;
mod reason;
mod shape;
mod subsystems;
#[cfg(test)]
mod tests;
mod time;
mod values;
mod verdict;

pub use catalogue::{AnnotatedFunction, Catalogue, CatalogueFamily};
pub use past::{History, OperationHistory, ProfileHistory, SubsystemHistory};
pub use reason::{Level, Reason, ReasonKind, Verdict};
pub use shape::{
    Beats, Build, InvalidObservations, LabelOverflow, MarketDataStatus, MismatchCount, Notes,
    OperationStatus, OwnFamily, OwnSeries, ProfileStatus, Quantiles, RateLimitStatus, ReconciliationStatus,
    ScrapeStatus, Status, StatusEvent, SubsystemState, SubsystemStatus, VERSION,
};

use crate::Metrics;

impl Metrics {
    /// The state of the bot, with the history of the last 15 minutes if a server samples it.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status_since(0)
    }

    /// Like [`status`](Self::status), without the events and the steps of the history up to `sequence`, which is that of
    /// an earlier status. If this instance has not given out that number yet, the status is complete.
    #[must_use]
    pub fn status_since(&self, sequence: u64) -> Status {
        build::status(self, sequence)
    }

    /// The annotated functions that are linked, with what they have recorded to this instance, and the families that it
    /// exports. Attributes record to the process-wide instance: for another one the list of functions is empty.
    ///
    /// ```
    /// use bot_metrics::{Mode, Settings};
    ///
    /// let metrics = Settings::new(Mode::Paper).build()?;
    /// let families = metrics.catalogue().families;
    /// assert!(families.iter().any(|family| family.linked.name == "bytelyst_bot_build_info"));
    /// # Ok::<(), bot_metrics::Error>(())
    /// ```
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        Catalogue::of(self)
    }
}
