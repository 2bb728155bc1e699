//! The memory of answers that are rendered and not yet read, and its limit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::ServerOptions;
use super::connections::Connections;

/// A client that has accepted some of an answer within this time is reading. With a round trip this long, a scrape of
/// a megabyte takes seconds.
const READS: Duration = Duration::from_millis(250);

/// The time for which a new answer waits for reading clients to finish or stop: short compared with the 10 s that
/// Prometheus waits for it.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The polling interval for clients that have stopped reading.
const PAUSE: Duration = Duration::from_millis(10);

/// Clones share one account.
#[derive(Clone)]
pub(super) struct Unread {
    limit: usize,
    /// Smaller answers are not counted.
    share: usize,
    connections: Arc<Connections>,
    account: Arc<Account>,
}

#[derive(Default)]
struct Account(Mutex<Sums>);

#[derive(Default)]
struct Sums {
    held: usize,
    longest: usize,
}

/// An answer's bytes, which count until the last client has received them or is gone.
struct Counted {
    body: Bytes,
    account: Arc<Account>,
}

impl Unread {
    pub(super) fn new(options: &ServerOptions, connections: Arc<Connections>) -> Self {
        let (limit, share) = (options.max_unread_bytes, options.max_unread_bytes / options.max_connections);
        Self { limit, share, connections, account: Arc::default() }
    }

    /// Counts the body, once regardless of the number of its clones, and makes room for it.
    pub(super) async fn hold(&self, body: Bytes) -> Bytes {
        if body.len() < self.share {
            return body;
        }
        let counted = Account::count(&self.account, body);
        self.make_room().await;
        counted
    }

    /// Counts a piece of a longer answer.
    pub(super) fn count(&self, piece: Bytes) -> Bytes {
        Account::count(&self.account, piece)
    }

    /// Clients that wait for the new answer are not stalled, so they lose only time.
    async fn make_room(&self) {
        let start = Instant::now();
        while let Some(pause) = self.pause(start) {
            match pause {
                Duration::ZERO => yield_now().await,
                pause => sleep(pause).await,
            }
        }
    }

    /// Like [`make_room`](Self::make_room), on a thread that renders.
    pub(super) fn make_room_here(&self) {
        let start = Instant::now();
        while let Some(pause) = self.pause(start) {
            std::thread::sleep(pause.max(PAUSE / 10));
        }
    }

    /// Closes a stalled connection, if there is no room, and returns how long to wait before the next check, so that
    /// its task runs and ends; `None` if there is room, or if everything that is left is about to be written for the
    /// first time.
    fn pause(&self, start: Instant) -> Option<Duration> {
        if !self.account.sums().exceed(self.limit) {
            return None;
        }
        let late = start.elapsed() >= LONGEST_WAIT;
        let closed = self.connections.close_a_stalled_one(if late { Duration::ZERO } else { READS });
        match (closed, late) {
            (true, _) => Some(Duration::ZERO),
            (false, false) => Some(PAUSE),
            (false, true) => None,
        }
    }
}

impl Account {
    fn count(account: &Arc<Self>, body: Bytes) -> Bytes {
        let mut sums = account.sums();
        sums.held += body.len();
        sums.longest = sums.longest.max(body.len());
        Bytes::from_owner(Counted { body, account: Arc::clone(account) })
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
    fn exceed(&self, limit: usize) -> bool {
        self.held > limit.max(2 * self.longest)
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.account.sums().held -= self.body.len();
    }
}
