//! The lock of a history.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::sleep;
use std::time::Duration;

use super::HistoryRings;
use crate::lock;

/// A history behind a lock that does not count as one of the library's: an allocator may record allocations
/// that are made while it is held. In exchange, a fork does not wait for it, and a child may find it locked for ever.
#[derive(Debug, Default)]
pub(crate) struct HistoryCell(Mutex<HistoryRings>);

/// The number of times that a child tries, once a millisecond.
const TRIES: u32 = 100;

impl HistoryCell {
    /// The history; `None` in a forked child if a thread of its parent had locked it.
    pub(crate) fn lock(&self) -> Option<MutexGuard<'_, HistoryRings>> {
        if lock::generation() == 0 {
            return Some(self.0.lock().unwrap_or_else(PoisonError::into_inner));
        }
        (0..TRIES).find_map(|_| match self.0.try_lock() {
            Ok(history) => Some(history),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                sleep(Duration::from_millis(1));
                None
            }
        })
    }
}
