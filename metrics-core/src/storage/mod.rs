//! Where values live, and how they are read.
//!
//! This is the seam between recording and everything else: handles and call sites write, the snapshot reads, and
//! nobody else knows what either is made of.
//!
//! Calls go through a [`Recorder`](recorder::Recorder), where each thread has a share of its own and no two threads
//! write the same memory. What is recorded rarely, or with labels that are not known while compiling, goes to slots
//! that all threads share.

mod recorder;
mod running;
mod series;
mod shard;
mod shared;
mod sink;
mod slot;
mod slot_cell;
mod snapshot;
mod spare;
mod sync;
#[cfg(test)]
mod tests;
mod thread;
mod totals;

pub(crate) use recorder::{Ending, Lease, Scratch};
pub(crate) use running::Running;
pub(crate) use series::Series;
pub(crate) use sink::{Reading, Sink};
pub(crate) use slot::{CounterSlot, GaugeSlot};
pub(crate) use slot_cell::withdraw_time_stamps;
pub use slot_cell::{NearNumber, SlotCell};
pub(crate) use snapshot::SnapshotBuilder;
pub use snapshot::{FamilySnapshot, HistogramValue, Sample, Snapshot, Value};
pub(crate) use spare::{lose, lost};
pub(crate) use totals::Totals;
