//! The memory of answers that are rendered and not yet read, and its limit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::ServerOptions;
use super::connections::{Connections, READS};

/// The time for which a new answer waits for reading clients to finish or stop: short compared with the 10 s that
/// Prometheus waits for it.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// The polling interval for clients that have stopped reading.
const PAUSE: Duration = Duration::from_millis(10);

/// Clones share one account.
#[derive(Clone)]
pub(super) struct Unread {
    limit: usize,
    /// Smaller answers are not counted.
    share: usize,
    pub(super) connections: Arc<Connections>,
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
        let (start, mut closing) = (Instant::now(), 1);
        while let Some(pause) = self.pause(start.elapsed(), &mut closing) {
            match pause {
                Duration::ZERO => yield_now().await,
                pause => sleep(pause).await,
            }
        }
    }

    /// Like [`make_room`](Self::make_room), on a thread that renders. `waited` is the time that its rendering has spent
    /// here, so that a long page does not wait anew for each of its pieces.
    pub(super) fn make_room_here(&self, waited: &mut Duration) {
        let (start, before, mut closing) = (Instant::now(), *waited, 1);
        while let Some(pause) = self.pause(*waited, &mut closing) {
            std::thread::sleep(pause.max(PAUSE / 10));
            *waited = before + start.elapsed();
        }
    }

    /// Closes stalled connections, if there is no room, and returns how long to wait before the next check, so that
    /// their tasks run and end; `None` if there is room, or if everything that is left is about to be written for the
    /// first time. Twice as many are closed each time, since clients that share a rendering share its bytes.
    fn pause(&self, waited: Duration, closing: &mut usize) -> Option<Duration> {
        if !self.account.sums().exceed(self.limit) {
            return None;
        }
        if self.connections.are_closing() {
            return Some(Duration::ZERO);
        }
        let late = waited >= LONGEST_WAIT;
        let closed = self.connections.close_stalled(*closing, if late { Duration::ZERO } else { READS });
        match (closed, late) {
            (true, _) => {
                *closing *= 2;
                Some(Duration::ZERO)
            }
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
