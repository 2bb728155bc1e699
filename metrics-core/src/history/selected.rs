//! The families that a sampling reads.

use std::sync::Arc;

use super::PlacedOrders;
use crate::LabelValue as _;
use crate::catalogue::{self, Families, Family, Origin};
use crate::labels::EventType;
use crate::storage::{Reading, Sink, Snapshot, SnapshotBuilder};

/// Selects the families of a snapshot, limits the series of a bot's own, and adds up the orders of each profile.
pub(crate) struct Selected {
    snapshot: SnapshotBuilder,
    wanted: fn(&Family) -> bool,
    room: usize,
    own_left_out: usize,
    placed: PlacedOrders,
}

/// The selected values.
pub(crate) struct Selection {
    pub(crate) snapshot: Snapshot,
    /// The number of series of the bot's own over the limit.
    pub(crate) own_left_out: usize,
    pub(crate) placed: PlacedOrders,
}

impl Selected {
    /// Of the wanted families all series, but at most this many of a bot's own families.
    pub(crate) fn new(wanted: fn(&Family) -> bool, most_own: usize) -> Self {
        let snapshot = SnapshotBuilder::new(Families::All);
        Self { snapshot, wanted, room: most_own, own_left_out: 0, placed: PlacedOrders::new() }
    }

    pub(crate) fn finish(self) -> Selection {
        let Self { snapshot, own_left_out, placed, .. } = self;
        Selection { snapshot: snapshot.finish(), own_left_out, placed }
    }

    fn count_orders(&mut self, event_type: &str, profile: &str, value: Reading<'_>) {
        if let Reading::Counter(count) = value
            && event_type == EventType::OrderPlaced.as_str()
            && !profile.is_empty()
        {
            match self.placed.get_mut(profile) {
                Some(placed) => *placed += count,
                None => drop(self.placed.insert(Arc::from(profile), count)),
            }
        }
    }
}

impl Sink for Selected {
    fn includes(&self, family: &Family) -> bool {
        is_of_events(family) || (self.wanted)(family)
    }

    fn open(&mut self, _: &'static Family) {}

    fn sample(&mut self, family: &'static Family, labels: &[&str], value: Reading<'_>) {
        if is_of_events(family)
            && let [_severity, event_type, profile, _symbol] = labels
        {
            self.count_orders(event_type, profile, value);
        }
        if !(self.wanted)(family) {
            return;
        }
        if family.origin == Origin::Custom {
            if self.room == 0 {
                self.own_left_out += 1;
                return;
            }
            self.room -= 1;
        }
        self.snapshot.sample(family, labels, value);
    }
}

/// Whether it is the family of events, of which a history and a status read the orders of each profile alone: it may have
/// thousands of series.
fn is_of_events(family: &Family) -> bool {
    family.name == catalogue::OPERATIONAL_EVENTS_TOTAL.name
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
