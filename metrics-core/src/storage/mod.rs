//! Where values live, and how they are read.
//!
//! This is the seam between recording and everything else: handles and call sites write to slots, the snapshot
//! reads them, and nobody else knows what a slot is made of.

mod series;
mod slot;
mod snapshot;

pub(crate) use series::Series;
pub(crate) use slot::{CounterSlot, GaugeSlot, HistogramSlot, LevelSlot, StampSlot};
pub use snapshot::{FamilySnapshot, HistogramValue, Sample, Snapshot, Value};
pub(crate) use snapshot::{SnapshotBuilder, shared};
