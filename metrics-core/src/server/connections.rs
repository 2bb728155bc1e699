//! The open connections: their limit, and which one is closed to make room for a new one.
//!
//! A client that asks once every few seconds gets its answer whatever the others do. So no connection is closed while
//! its first request after a pause is being answered and its client reads, and no new one is turned away. When all
//! slots are taken, one is freed, in this order:
//!
//! 1. a connection without a complete request header, the oldest first;
//! 2. one whose client sends requests in a burst, the longest burst first, so that a client that pipelines has as few
//!    answers as others want slots; but not one that has sent a single request and waits for its answer for longer than
//!    30 ms: its client would come back and wait for the next rendering, and if all do so, few slots become free when a
//!    rendering ends;
//! 3. an idle one, the oldest first;
//! 4. one in a TLS handshake that its client has begun with a complete greeting, the oldest first: such a client may be
//!    a round trip away, whereas one that sent nothing or half of a greeting counts as one without a header;
//! 5. one whose client has accepted nothing of its answer for 50 ms, the longest first;
//! 6. one whose answer takes longer than a client usually waits for it.
//!
//! If one address has more than a quarter of the slots, the connection is sought among its own. Only if none of them may
//! be closed and the new one is from another address, it is sought among all, so that an attacker from one address never
//! closes the connections of another. Fairness among addresses is not enough, as a proxy lends its address to all clients
//! behind it.
//!
//! If none may be closed, the new connection waits for a slot, and those behind it wait in the system's queue, first
//! come, first served.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{sleep, timeout};

use super::activity::{Activity, Phase, State};

/// A younger connection is not closed for its slot, since its request may be in transit: a client sends it together
/// with the end of the handshake.
const TIME_TO_ASK: Duration = Duration::from_millis(5);

/// Like [`TIME_TO_ASK`] if the process has no descriptors left, which has to cost less processor time than speed.
const TIME_TO_ASK_WITHOUT_DESCRIPTORS: Duration = Duration::from_millis(100);

/// A client that has accepted some of its answer within this time is reading. Longer than that a client of 5 MB per
/// second keeps the socket full, and the slowest are closed first.
pub(super) const READS: Duration = Duration::from_millis(50);

/// The default scrape timeout of Prometheus, after which a client has given up.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);

/// The polling interval for a connection that may be closed by now.
const RECHECK: Duration = Duration::from_millis(1);

/// The time for which a rendering waits for the requests of new connections. It is enough for as many as have slots,
/// and short compared with a rendering that is worth sharing.
const TIME_FOR_NEW_ONES: Duration = Duration::from_millis(30);

/// A request that waits for longer than this waits for a rendering. Not less than [`TIME_FOR_NEW_ONES`], in which new
/// connections replace those that were quick to ask again.
const AWAITS_RENDERING: Duration = TIME_FOR_NEW_ONES;

pub(super) struct Connections {
    limit: usize,
    table: Mutex<Table>,
    freed: Notify,
}

struct Table {
    next_id: u64,
    open: BTreeMap<u64, Open>,
    /// A moment after which every connection has read all bytes that had arrived for it.
    read_at: Instant,
    /// The number of open connections of each network.
    of_network: HashMap<Network, usize>,
    /// The number of connections that were closed and whose tasks have not ended yet.
    closing: usize,
    /// When a new connection last had waited for a slot for [`TIME_FOR_NEW_ONES`] or longer.
    last_wait: Option<Instant>,
    spare: SpareDescriptor,
}

struct Open {
    network: Network,
    activity: Arc<Activity>,
    task: Option<AbortHandle>,
}

/// The clients that count as one: those of an IPv4 address, or of the 64-bit prefix that an IPv6 network has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Network(IpAddr);

/// The reason why a connection may be closed for another one, in the order of closing.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Weakness {
    NoHeader,
    Burst(Reverse<u32>),
    /// It has no header yet either, and none of the following is closed while it may turn out to have none.
    TooYoung,
    Idle,
    Handshake,
    Stalled,
    Late,
}

/// Permission for one connection; returned when dropped.
pub(super) struct ConnectionSlot {
    id: u64,
    activity: Arc<Activity>,
    connections: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        let table = Table {
            next_id: 0,
            open: BTreeMap::new(),
            read_at: Instant::now(),
            of_network: HashMap::new(),
            closing: 0,
            last_wait: None,
            spare: SpareDescriptor::new(),
        };
        Arc::new(Self { limit, table: Mutex::new(table), freed: Notify::new() })
    }

    /// A slot for a new connection, which closes an old one or waits if necessary.
    pub(super) async fn admit(self: &Arc<Self>, client: IpAddr) -> ConnectionSlot {
        let slot = self.slot(Network::of(client)).await;
        if self.are_closing() {
            // The memory of the closed connection is freed before the new one takes as much.
            yield_now().await;
        }
        slot
    }

    async fn slot(self: &Arc<Self>, network: Network) -> ConnectionSlot {
        let start = Instant::now();
        loop {
            if let Some(slot) = self.try_admit(network) {
                return slot;
            }
            self.table().read_at = Instant::now();
            yield_now().await;
            if let Some(slot) = self.try_admit(network) {
                return slot;
            }
            if start.elapsed() >= TIME_FOR_NEW_ONES {
                self.table().last_wait = Some(Instant::now());
            }
            // If no slot was freed by then, a connection may have become one to close.
            let _ = timeout(RECHECK, self.freed.notified()).await;
        }
    }

    fn try_admit(self: &Arc<Self>, network: Network) -> Option<ConnectionSlot> {
        let mut table = self.table();
        if table.open.len() >= self.limit && !table.close_one(Some(network), self.limit / 4, TIME_TO_ASK) {
            return None;
        }
        let id = table.next_id;
        table.next_id += 1;
        let activity = Arc::new(Activity::new());
        table.open.insert(id, Open { network, activity: Arc::clone(&activity), task: None });
        *table.of_network.entry(network).or_default() += 1;
        Some(ConnectionSlot { id, activity, connections: Arc::clone(self) })
    }

    /// Sets the task that is aborted when the slot is needed for another connection.
    pub(super) fn occupy(&self, slot: u64, task: AbortHandle) {
        if let Some(open) = self.table().open.get_mut(&slot) {
            open.task = Some(task);
        }
    }

    /// Waits for the requests of new connections, if some have just waited long for a slot, as they do while all others
    /// wait for the same rendering. The next one, if it begins as soon as that has ended, serves the clients that are
    /// quick to ask again, and not those that waited for their slots.
    pub(super) async fn let_new_ones_ask(&self) {
        let last_wait = self.table().last_wait;
        if last_wait.is_some_and(|last_wait| last_wait.elapsed() <= TIME_FOR_NEW_ONES) {
            sleep(TIME_FOR_NEW_ONES).await;
        }
    }

    /// Frees a file descriptor; returns whether one will be free as soon as other tasks have run.
    pub(super) fn free_a_descriptor(&self) -> bool {
        let mut table = self.table();
        // The wait is so long that connections have read all bytes that had arrived.
        table.read_at = Instant::now();
        table.spare.give_up() || table.close_one(None, self.limit / 4, TIME_TO_ASK_WITHOUT_DESCRIPTORS)
    }

    /// Whether the memory of a closed connection is still to be freed.
    pub(super) fn are_closing(&self) -> bool {
        self.table().closing > 0
    }

    /// Closes the `most` connections that have accepted nothing of their answers for longest, if that is as long as
    /// `at_least`; returns whether there was one. Their memory is free as soon as other tasks have run.
    pub(super) fn close_stalled(&self, most: usize, at_least: Duration) -> bool {
        let mut table = self.table();
        let states = table.open.iter().map(|(id, open)| (open.activity.now(), *id));
        let mut stalled: Vec<_> = states
            .filter(|(state, _)| state.phase == Phase::Stalled && state.since.elapsed() >= at_least)
            .map(|(state, id)| (state.since, id))
            .collect();
        stalled.sort_unstable();
        stalled.truncate(most);
        for (_, id) in &stalled {
            table.close(*id);
        }
        !stalled.is_empty()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Closes the connection that is first in the closing order, if there is one, for a connection from `network` if that
    /// is known. It is sought first among those of a network that has more than `share`, and not elsewhere for one more
    /// of the same network.
    fn close_one(&mut self, network: Option<Network>, share: usize, time_to_ask: Duration) -> bool {
        let now = Instant::now();
        let first_of = |network: Option<Network>| {
            let open = self.open.iter().filter(|(_, open)| network.is_none_or(|it| it == open.network));
            let candidates = open.filter_map(|(id, open)| {
                let state = open.activity.now();
                Some((self.weakness(state, now, time_to_ask)?, state.since, *id))
            });
            candidates.min().map(|(weakness, _, id)| (weakness, id))
        };
        let largest = self.of_network.iter().max_by_key(|(_, open)| **open);
        let crowd = largest.filter(|(_, open)| **open > share).map(|(network, _)| *network);
        let others = || if crowd.is_some() && crowd == network { None } else { first_of(None) };
        match crowd.and_then(|crowd| first_of(Some(crowd))).or_else(others) {
            None | Some((Weakness::TooYoung, _)) => false,
            Some((_, id)) => {
                self.close(id);
                true
            }
        }
    }

    /// Why a connection in this state may be closed, if it may.
    fn weakness(&self, state: State, now: Instant, time_to_ask: Duration) -> Option<Weakness> {
        let age = now.saturating_duration_since(state.since);
        match state.phase {
            Phase::Busy if age >= LONGEST_ANSWER => Some(Weakness::Late),
            Phase::Busy if age >= AWAITS_RENDERING && !state.has_sent_more() => None,
            _ if state.burst() > 1 => Some(Weakness::Burst(Reverse(state.burst()))),
            Phase::Head if self.read_at.saturating_duration_since(state.since) < time_to_ask => {
                Some(Weakness::TooYoung)
            }
            Phase::Head => Some(Weakness::NoHeader),
            Phase::Idle => Some(Weakness::Idle),
            Phase::Handshake => Some(Weakness::Handshake),
            Phase::Stalled => (age >= READS).then_some(Weakness::Stalled),
            Phase::Busy => None,
        }
    }

    fn close(&mut self, id: u64) {
        if let Some(open) = self.remove(id) {
            self.closing += 1;
            open.task.iter().for_each(AbortHandle::abort);
        }
    }

    fn remove(&mut self, id: u64) -> Option<Open> {
        let removed = self.open.remove(&id)?;
        if let Some(open) = self.of_network.get_mut(&removed.network) {
            *open -= 1;
            if *open == 0 {
                self.of_network.remove(&removed.network);
            }
        }
        Some(removed)
    }
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
            address @ IpAddr::V4(_) => Self(address),
        }
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
        if table.remove(self.id).is_none() {
            table.closing -= 1;
        }
        table.spare.refill();
        drop(table);
        self.connections.freed.notify_one();
    }
}

/// Holds one file descriptor. A process that has run out of them releases it to accept one more connection, so that a
/// bot that leaks descriptors can still be scraped.
struct SpareDescriptor(Option<File>);

impl SpareDescriptor {
    /// Takes one if possible. If there is no null device, the server merely waits for a descriptor.
    fn new() -> Self {
        let mut spare = Self(None);
        spare.refill();
        spare
    }

    fn refill(&mut self) {
        if self.0.is_none() {
            self.0 = File::open("/dev/null").ok();
        }
    }

    /// Releases it; returns whether there was one.
    fn give_up(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{ConnectionSlot, Connections, Network};

    const MANY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn admitted(connections: &Arc<Connections>, from: IpAddr) -> Option<ConnectionSlot> {
        connections.table().read_at = Instant::now();
        connections.try_admit(Network::of(from))
    }

    fn admit(connections: &Arc<Connections>) -> ConnectionSlot {
        admitted(connections, MANY).expect("a slot")
    }

    fn open(connections: &Connections) -> Vec<u64> {
        connections.table().open.keys().copied().collect()
    }

    /// Long enough for a request to arrive.
    fn wait_for_headers() {
        std::thread::sleep(super::TIME_TO_ASK);
    }

    #[test]
    fn connections_without_header_are_closed_first_then_bursts_then_idle_ones() {
        let connections = Connections::new(5);
        let slots: Vec<_> = (0..5).map(|_| admit(&connections)).collect();
        slots[0].activity().requested();
        slots[1].activity().answered();
        slots[2].activity().answered();
        for _ in 0..3 {
            slots[3].activity().requested();
        }
        wait_for_headers();

        let newer = admit(&connections);
        newer.activity().requested();
        assert_eq!(open(&connections), [0, 1, 2, 3, 5], "4 had no header");
        let newest = [(); 3].map(|()| {
            let slot = admit(&connections);
            slot.activity().requested();
            slot
        });
        assert_eq!(open(&connections), [0, 5, 6, 7, 8], "then the burst, then the idle ones");
        assert!(admitted(&connections, MANY).is_none(), "all are being answered");
        drop(newest);
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_handshake_that_has_begun_outlives_silent_and_idle_connections() {
        let connections = Connections::new(3);
        let [greeted, idle, _silent] = [(); 3].map(|()| admit(&connections));
        greeted.activity().handshake_progressed();
        idle.activity().answered();
        wait_for_headers();
        let mut newest = Vec::new();
        for left in [[0, 1, 3], [0, 3, 4], [3, 4, 5]] {
            let slot = admit(&connections);
            slot.activity().requested();
            newest.push(slot);
            assert_eq!(open(&connections), left);
        }
    }

    #[test]
    fn a_new_connection_has_time_to_ask() {
        let connections = Connections::new(1);
        let _young = admit(&connections);
        assert!(admitted(&connections, MANY).is_none());
        wait_for_headers();
        assert!(admitted(&connections, MANY).is_some());
    }

    #[test]
    fn requests_sent_together_are_a_burst_from_the_first_one_on() {
        let connections = Connections::new(2);
        let (single, pipelining) = (admit(&connections), admit(&connections));
        for (slot, requests) in [(&single, 1), (&pipelining, 3)] {
            slot.activity().received("GET / HTTP/1.1\r\nHost: bot\r\n\r\n".repeat(requests).as_bytes());
            slot.activity().requested();
        }
        let third = admit(&connections);
        third.activity().requested();
        assert!(admitted(&connections, MANY).is_none());
        assert_eq!(open(&connections), [single.id(), third.id()]);
        single.activity().received(b"G");
        assert!(admitted(&connections, MANY).is_some(), "it has sent more before its answer");
    }

    #[test]
    fn a_client_that_waits_for_a_rendering_is_not_closed_for_its_burst() {
        let connections = Connections::new(1);
        let slot = admit(&connections);
        slot.activity().requested();
        slot.activity().answered();
        slot.activity().requested();
        std::thread::sleep(super::AWAITS_RENDERING);
        assert!(admitted(&connections, MANY).is_none(), "its answer is being rendered");
        slot.activity().received(b"GET / HTTP/1.1\r\n\r\n");
        assert!(admitted(&connections, MANY).is_some(), "it has sent one more");
    }

    #[test]
    fn a_crowd_that_waits_for_its_answers_closes_no_connection_of_another_address() {
        let connections = Connections::new(8);
        let other = IpAddr::V6("2001:db8::1".parse().unwrap());
        let idle = admitted(&connections, other).unwrap();
        idle.activity().requested();
        idle.activity().answered();
        let crowd: Vec<_> = (0..7).map(|_| admit(&connections)).collect();
        for slot in &crowd {
            slot.activity().requested();
            slot.activity().answered();
            slot.activity().requested();
        }
        std::thread::sleep(super::AWAITS_RENDERING);
        assert!(admitted(&connections, MANY).is_none(), "one more of the crowd waits");
        assert_eq!(open(&connections)[0], idle.id());
        assert!(admitted(&connections, other).is_some(), "another client of its address replaces it");
        drop(crowd);
    }

    #[test]
    fn a_pause_ends_a_burst() {
        let connections = Connections::new(1);
        let slot = admit(&connections);
        slot.activity().requested();
        slot.activity().answered();
        std::thread::sleep(Duration::from_millis(500));
        slot.activity().received(b"GET / HTTP/1.1\r\n\r\n");
        slot.activity().requested();
        assert!(admitted(&connections, MANY).is_none());
    }

    #[test]
    fn the_address_with_most_connections_loses_one_first() {
        let connections = Connections::new(8);
        let other = IpAddr::V6("2001:db8::1".parse().unwrap());
        let waiting = admitted(&connections, other).unwrap();
        let others: Vec<_> = (0..7).map(|_| admit(&connections)).collect();
        for slot in &others {
            slot.activity().answered();
        }
        wait_for_headers();
        for _ in 0..7 {
            admit(&connections).activity().requested();
        }
        assert_eq!(open(&connections)[0], waiting.id(), "although it has no header");
    }

    #[test]
    fn of_the_stalled_connections_the_one_stalled_for_longest_is_closed() {
        let connections = Connections::new(4);
        let slots: Vec<_> = (0..4).map(|_| admit(&connections)).collect();
        slots[1].activity().blocked();
        slots[2].activity().blocked();
        slots[3].activity().requested();
        slots[3].activity().progressed();
        slots[1].activity().progressed();

        assert!(!connections.close_stalled(1, Duration::from_hours(1)));
        assert!(connections.close_stalled(1, Duration::ZERO));
        assert_eq!(open(&connections), [0, 1, 3]);
        assert!(connections.close_stalled(1, Duration::ZERO));
        assert!(!connections.close_stalled(1, Duration::ZERO), "one has no header, one is being answered");
        assert_eq!(open(&connections), [0, 3]);
    }
}
