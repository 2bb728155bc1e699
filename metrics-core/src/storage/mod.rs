//! The storage of values: threads record into it, and a scrape reads it.
//!
//! Handles and call sites write, the snapshot reads, and no other module depends on the representation.
//!
//! Calls go through a [`CallSeries`](recorder::CallSeries), in which each thread has its own shard, so that no two
//! threads write the same memory. Counters and histograms that are recorded directly are words in [pages](page) owned
//! by each thread. Rare recordings go to slots that all threads share.

mod chain;
mod distribution;
pub(crate) mod not_installed;
mod observed;
mod page;
mod recorder;
mod running;
mod series;
mod shard;
mod single_writer;
mod sink;
mod slot;
mod slot_cell;
mod snapshot;
mod spare;
mod tally;
#[cfg(test)]
pub(crate) mod tests;
mod thread;
mod totals;
pub(crate) mod waiting;

use crate::sync;

/// Whether anything is recorded. Without the feature `enable` handles do nothing, and none of the library's metrics
/// are served.
pub(crate) const ENABLED: bool = cfg!(feature = "enable");

#[cfg(feature = "tokio")]
pub(crate) use distribution::HistogramWords;
pub(crate) use distribution::MOST_BOUNDS;
pub(crate) use recorder::{CallSeriesLease, Ending, Scratch};
pub(crate) use running::{Call, RunInProgress};
pub(crate) use series::{AT_ONCE, SeriesMap};
pub(crate) use sink::{Reading, Receipt, Seen, Sink, to_f64};
pub(crate) use slot::{Baseline, CounterSlot, GaugeSlot, Slot};
pub use slot_cell::SlotCell;
pub(crate) use slot_cell::disable_quick_paths;
pub(crate) use snapshot::SnapshotBuilder;
pub use snapshot::{FamilySnapshot, HistogramValue, Sample, Snapshot, Value};
pub(crate) use spare::{lose, lost, record_outside};
pub(crate) use thread::copy_waited;
pub(crate) use totals::Totals;
