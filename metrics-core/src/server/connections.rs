//! The open connections: their limit, and which one is closed to make room for a new one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::activity::{Activity, Phase};
use super::spare::SpareDescriptor;

/// A younger connection is not closed for its descriptor, since its request may be in transit.
const TIME_TO_ASK: Duration = Duration::from_millis(100);

pub(super) struct Connections {
    cap: usize,
    table: Mutex<Table>,
}

struct Table {
    next_id: u64,
    open: BTreeMap<u64, Open>,
    spare: SpareDescriptor,
}

struct Open {
    activity: Arc<Activity>,
    task: Option<AbortHandle>,
}

/// Permission for one connection; returned when dropped.
pub(super) struct ConnectionSlot {
    id: u64,
    activity: Arc<Activity>,
    connections: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(cap: usize) -> Arc<Self> {
        let table = Table { next_id: 0, open: BTreeMap::new(), spare: SpareDescriptor::new() };
        Arc::new(Self { cap, table: Mutex::new(table) })
    }

    /// A slot for a new connection, closing an old one if necessary; `None` if all are being answered.
    pub(super) fn admit(self: &Arc<Self>) -> Option<ConnectionSlot> {
        let mut table = self.table();
        if table.open.len() >= self.cap && !table.evict(Phase::Head, Duration::ZERO) {
            return None;
        }
        let id = table.next_id;
        table.next_id += 1;
        let activity = Arc::new(Activity::new());
        table.open.insert(id, Open { activity: Arc::clone(&activity), task: None });
        Some(ConnectionSlot { id, activity, connections: Arc::clone(self) })
    }

    /// Sets the task that is aborted when the slot is needed for another connection.
    pub(super) fn occupy(&self, slot: u64, task: AbortHandle) {
        if let Some(open) = self.table().open.get_mut(&slot) {
            open.task = Some(task);
        }
    }

    /// Frees a file descriptor; returns whether one will be free as soon as other tasks have run.
    pub(super) fn free_a_descriptor(&self) -> bool {
        let mut table = self.table();
        table.spare.give_up() || table.evict(Phase::Head, TIME_TO_ASK)
    }

    /// Closes the connection that has accepted nothing of its answer for longest, if that is as long as `at_least`;
    /// returns whether there was one. Its memory is free as soon as other tasks have run.
    pub(super) fn close_a_stalled_one(&self, at_least: Duration) -> bool {
        self.table().evict(Phase::Stalled, at_least)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Closes the first connection in the closing order that is in the phase `from` or a later one and has at least
    /// that age, if there is one.
    fn evict(&mut self, from: Phase, min_age: Duration) -> bool {
        let candidate = self
            .open
            .iter()
            .map(|(id, open)| (open.activity.now(), *id))
            .filter(|((phase, since), _)| (from..Phase::Busy).contains(phase) && since.elapsed() >= min_age)
            .min();
        let Some((_, id)) = candidate else {
            return false;
        };
        if let Some(task) = self.open.remove(&id).and_then(|open| open.task) {
            task.abort();
        }
        true
    }
}

impl ConnectionSlot {
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut table = self.connections.table();
        table.open.remove(&self.id);
        table.spare.refill();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Connections;

    #[test]
    fn connections_without_header_are_closed_first_then_idle_then_stalled_never_busy_ones() {
        let connections = Connections::new(4);
        let slots: Vec<_> = (0..4).map(|_| connections.admit().unwrap()).collect();
        slots[0].activity().requested();
        slots[1].activity().blocked();
        slots[2].activity().answered();
        let open = || connections.table().open.keys().copied().collect::<Vec<_>>();

        let newer = connections.admit().unwrap();
        newer.activity().requested();
        assert_eq!(open(), [0, 1, 2, 4]);
        connections.admit().unwrap().activity().requested();
        assert_eq!(open(), [0, 1, 4]);
        let newest = connections.admit().unwrap();
        newest.activity().requested();
        let last = connections.admit().unwrap();
        last.activity().requested();
        assert_eq!(open(), [0, 4, 6, 7]);
        assert!(connections.admit().is_none());
    }

    #[test]
    fn of_the_stalled_connections_the_one_stalled_for_longest_is_closed() {
        let connections = Connections::new(4);
        let slots: Vec<_> = (0..4).map(|_| connections.admit().unwrap()).collect();
        slots[1].activity().blocked();
        slots[2].activity().blocked();
        slots[3].activity().requested();
        slots[3].activity().progressed();
        slots[1].activity().progressed();
        let open = || connections.table().open.keys().copied().collect::<Vec<_>>();

        assert!(!connections.close_a_stalled_one(Duration::from_hours(1)));
        assert!(connections.close_a_stalled_one(Duration::ZERO));
        assert_eq!(open(), [0, 1, 3]);
        assert!(connections.close_a_stalled_one(Duration::ZERO));
        assert!(!connections.close_a_stalled_one(Duration::ZERO), "one has no header, one is being answered");
        assert_eq!(open(), [0, 3]);
    }

    #[test]
    fn bytes_after_an_answer_begin_a_new_header() {
        let connections = Connections::new(2);
        let (older, newer) = (connections.admit().unwrap(), connections.admit().unwrap());
        older.activity().answered();
        newer.activity().answered();
        newer.activity().received();
        let _third = connections.admit().unwrap();
        assert!(connections.table().open.contains_key(&older.id()));
        assert!(!connections.table().open.contains_key(&newer.id()));
    }
}
