//! A clock that a test moves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Steering;

/// A clock that stands still until it is told otherwise. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct SteeredClock(Arc<Mutex<Times>>);

#[derive(Clone, Copy, Debug)]
struct Times {
    monotonic: Duration,
    boot_time: Duration,
    wall: Duration,
}

impl SteeredClock {
    /// 2025-01-01 00:00:00 UTC, on a machine that was up for an hour.
    const WALL: Duration = Duration::from_hours(482_136);

    pub(super) fn new() -> Self {
        let up = Duration::from_hours(1);
        Self(Arc::new(Mutex::new(Times { monotonic: up, boot_time: up, wall: Self::WALL })))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut times = self.times();
        times.monotonic += by;
        times.boot_time += by;
        times.wall += by;
    }

    /// Lets time pass while the machine sleeps.
    pub fn suspend(&self, by: Duration) {
        let mut times = self.times();
        times.boot_time += by;
        times.wall += by;
    }

    /// Sets the wall clock, as somebody or a time server does.
    pub fn set_wall(&self, since_epoch: Duration) {
        self.times().wall = since_epoch;
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Steering for SteeredClock {
    fn monotonic(&self) -> Duration {
        self.times().monotonic
    }

    fn boot_time(&self) -> Duration {
        self.times().boot_time
    }

    fn wall(&self) -> Duration {
        self.times().wall
    }
}
