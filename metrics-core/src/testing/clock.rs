//! A clock that a test controls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{ManualReadings, ManualTimes};

/// A clock that advances only by its methods. Clones share the time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<ManualTimes>>);

impl ManualClock {
    /// 2025-01-01 00:00:00 UTC, on a machine that has been up for an hour.
    const WALL: Duration = Duration::from_secs(1_735_689_600);

    pub(super) fn new() -> Self {
        let up = Duration::from_secs(60 * 60);
        Self(Arc::new(Mutex::new(ManualTimes { monotonic: up, boot_time: up, wall: Self::WALL })))
    }

    /// Advances the time.
    pub fn advance(&self, by: Duration) {
        let mut times = self.locked();
        times.monotonic += by;
        times.boot_time += by;
        times.wall += by;
    }

    /// Advances the time while the machine is suspended.
    pub fn suspend(&self, by: Duration) {
        let mut times = self.locked();
        times.boot_time += by;
        times.wall += by;
    }

    /// Sets the wall clock, as an operator or a time server does.
    pub fn set_wall(&self, since_epoch: Duration) {
        self.locked().wall = since_epoch;
    }

    fn locked(&self) -> MutexGuard<'_, ManualTimes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ManualReadings for ManualClock {
    fn times(&self) -> ManualTimes {
        *self.locked()
    }
}
