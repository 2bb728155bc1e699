//! The open connections: how many there may be, and which one makes room for a new one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::activity::{Activity, Phase};
use super::spare::Spare;

/// A connection younger than this is not closed for the sake of its descriptor: its request may be under way.
const TIME_TO_ASK: Duration = Duration::from_millis(100);

pub(super) struct Connections {
    cap: usize,
    table: Mutex<Table>,
}

struct Table {
    next_id: u64,
    open: BTreeMap<u64, Open>,
    spare: Spare,
}

struct Open {
    activity: Arc<Activity>,
    task: Option<AbortHandle>,
}

/// The right to one connection; given back when dropped.
pub(super) struct Slot {
    id: u64,
    activity: Arc<Activity>,
    connections: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(cap: usize) -> Arc<Self> {
        let table = Table { next_id: 0, open: BTreeMap::new(), spare: Spare::new() };
        Arc::new(Self { cap, table: Mutex::new(table) })
    }

    /// A slot for a new connection, at the cost of an old one if need be; none if all are being answered.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Slot> {
        let mut table = self.table();
        if table.open.len() >= self.cap && !table.evict(Phase::Head, Duration::ZERO) {
            return None;
        }
        let id = table.next_id;
        table.next_id += 1;
        let activity = Arc::new(Activity::new());
        table.open.insert(id, Open { activity: Arc::clone(&activity), task: None });
        Some(Slot { id, activity, connections: Arc::clone(self) })
    }

    /// Names the task that ends when the slot is needed for another connection.
    pub(super) fn occupy(&self, slot: u64, task: AbortHandle) {
        if let Some(open) = self.table().open.get_mut(&slot) {
            open.task = Some(task);
        }
    }

    /// Whether a file descriptor will be free as soon as other tasks have run.
    pub(super) fn free_a_descriptor(&self) -> bool {
        let mut table = self.table();
        table.spare.give_up() || table.evict(Phase::Head, TIME_TO_ASK)
    }

    /// Closes the connection that has taken nothing of its answer for longest, if that is as long as `at_least`;
    /// says whether there was one. Its memory is free as soon as other tasks have run.
    pub(super) fn close_a_stalled_one(&self, at_least: Duration) -> bool {
        self.table().evict(Phase::Stalled, at_least)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Closes the connection that has to make room first, of those in the phase `from` or a later one and of at
    /// least that age, if there is one.
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

impl Slot {
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for Slot {
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
    fn room_is_made_by_headless_then_idle_then_stalled_never_by_busy() {
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
    fn of_the_stalled_goes_the_one_that_has_taken_nothing_for_longest() {
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
