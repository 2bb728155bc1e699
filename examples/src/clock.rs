//! The exchange's clock: the system's, or one that a test advances.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Returns the time since the Unix epoch and never runs backwards.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's wall clock at the creation of this clock, advanced by the monotonic clock: a correction of the
    /// wall clock must not replay the market twice.
    System {
        /// Wall-clock time at the start.
        epoch: Duration,
        /// The same moment on the monotonic clock.
        started: Instant,
    },
    /// Microseconds since the Unix epoch, changed only by [`advance`](Self::advance).
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        // A wall clock before 1970 means that the machine has none; the epoch is as good as any other guess.
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::System { epoch, started: Instant::now() }
    }

    /// A clock that shows `now` until [`advance`](Self::advance) moves it.
    #[must_use]
    pub fn manual(now: Duration) -> Self {
        Self::Manual(Arc::new(AtomicU64::new(as_micros(now))))
    }

    /// Time since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        match self {
            Self::System { epoch, started } => *epoch + started.elapsed(),
            Self::Manual(micros) => Duration::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Advances a manual clock and all its clones; has no effect on the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(micros) = self {
            micros.fetch_add(as_micros(by), Ordering::SeqCst);
        }
    }
}

/// The result holds half a million years, so a longer time is a mistake and saturates.
fn as_micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = Clock::manual(Duration::from_secs(100));
        let clone = clock.clone();
        clock.advance(Duration::from_millis(250));
        assert_eq!(clone.now(), Duration::from_millis(100_250));
    }

    #[test]
    fn the_system_clock_agrees_with_the_wall_clock() {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let clock = Clock::system().now();
        assert!(clock >= wall && clock < wall + Duration::from_secs(5), "{clock:?} against {wall:?}");
    }
}
