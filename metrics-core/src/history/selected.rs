//! The families that a sampling reads.

use crate::catalogue::{self, Families, Family, Origin};
use crate::storage::{Reading, Sink, Snapshot, SnapshotBuilder};

/// Selects the families of a snapshot, and limits the series of a bot's own.
pub(crate) struct Selected {
    snapshot: SnapshotBuilder,
    wanted: fn(&Family) -> bool,
    room: usize,
    left_out: usize,
}

impl Selected {
    /// Of the wanted families all series, but at most this many of a bot's own families.
    pub(crate) fn new(wanted: fn(&Family) -> bool, most_own: usize) -> Self {
        Self { snapshot: SnapshotBuilder::new(Families::All), wanted, room: most_own, left_out: 0 }
    }

    /// The snapshot, and the number of series over the limit.
    pub(crate) fn finish(self) -> (Snapshot, usize) {
        (self.snapshot.finish(), self.left_out)
    }
}

impl Sink for Selected {
    fn includes(&self, family: &Family) -> bool {
        (self.wanted)(family)
    }

    fn open(&mut self, _: &'static Family) {}

    fn sample(&mut self, family: &'static Family, labels: &[&str], value: Reading<'_>) {
        if !(self.wanted)(family) {
            return;
        }
        if family.origin == Origin::Custom {
            if self.room == 0 {
                self.left_out += 1;
                return;
            }
            self.room -= 1;
        }
        self.snapshot.sample(family, labels, value);
    }
}

/// The families of subsystems that have a history.
pub(super) fn is_of_subsystems(family: &Family) -> bool {
    let names = [
        catalogue::SUBSYSTEM_DURATION_SECONDS.name,
        catalogue::SUBSYSTEM_RUNS_TOTAL.name,
        catalogue::SUBSYSTEM_IN_PROGRESS.name,
    ];
    names.contains(&family.name)
}

/// The families of the catalogue that have a history.
pub(super) fn is_of_catalogue(family: &Family) -> bool {
    let names = [
        catalogue::EXCHANGE_API_LATENCY_SECONDS.name,
        catalogue::EXCHANGE_API_REQUESTS_TOTAL.name,
        catalogue::EXCHANGE_API_IN_FLIGHT.name,
        catalogue::PROFILE_UTILIZATION_PERCENT.name,
    ];
    is_of_subsystems(family) || names.contains(&family.name)
}
