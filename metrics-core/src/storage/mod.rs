//! Where values live, and how they are read.
//!
//! This is the seam between recording and everything else: handles and call sites write, the snapshot reads, and
//! nobody else knows what either is made of.
//!
//! Calls go through a [`Recorder`](recorder::Recorder), where each thread has a share of its own and no two threads
//! write the same memory. Counters and histograms that are recorded to directly are words in a [page](page) that each
//! thread has for itself. What is recorded rarely goes to slots that all threads share.

mod chain;
#[cfg(test)]
mod crowd;
mod distribution;
pub(crate) mod not_installed;
mod observed;
mod page;
mod patience;
mod receipt;
mod recorder;
mod running;
mod series;
mod shard;
mod shared;
mod shared_observed;
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

/// Whether anything is recorded. Without the feature `enable` handles do nothing, and nothing of the library's is served.
pub(crate) const ENABLED: bool = cfg!(feature = "enable");

#[cfg(feature = "tokio")]
pub(crate) use distribution::Distribution;
pub(crate) use distribution::MOST_BOUNDS;
pub(crate) use receipt::{Receipt, Seen};
pub(crate) use recorder::{Ending, Lease, Scratch};
pub(crate) use running::{Call, Run};
pub(crate) use series::{Series, after, visit_some};
pub(crate) use sink::{Reading, Sink};
pub(crate) use slot::{Baseline, CounterSlot, GaugeSlot, Slot};
pub use slot_cell::SlotCell;
pub(crate) use slot_cell::withdraw_time_stamps;
pub(crate) use snapshot::SnapshotBuilder;
pub use snapshot::{FamilySnapshot, HistogramValue, Sample, Snapshot, Value};
pub(crate) use spare::{lose, lost, record_outside};
pub(crate) use tally::Tally;
pub(crate) use thread::copy_waited;
pub(crate) use totals::Totals;
