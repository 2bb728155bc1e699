//! The time the exchange lives by: the system's, or one that a test moves by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time since the Unix epoch and never runs backwards.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's wall clock when the clock was made, carried on by the monotonic one: a corrected wall
    /// clock must not replay the market twice.
    System {
        /// Wall-clock time at the start.
        epoch: Duration,
        /// The same moment on the monotonic clock.
        started: Instant,
    },
    /// Microseconds since the Unix epoch; stands still until it is advanced.
    Steered(Arc<AtomicU64>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        // A wall clock before 1970 is a machine without one; the epoch serves as well as any other guess.
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::System { epoch, started: Instant::now() }
    }

    /// A clock that stands at `now` until [`advance`](Self::advance) moves it.
    #[must_use]
    pub fn steered(now: Duration) -> Self {
        Self::Steered(Arc::new(AtomicU64::new(as_micros(now))))
    }

    /// Time since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        match self {
            Self::System { epoch, started } => *epoch + started.elapsed(),
            Self::Steered(micros) => Duration::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a steered clock on, and all its clones with it; the system's clock moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Self::Steered(micros) = self {
            micros.fetch_add(as_micros(by), Ordering::SeqCst);
        }
    }
}

/// Half a million years fit, so a longer time is a mistake that may as well saturate.
fn as_micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_steered_clock_move_together() {
        let clock = Clock::steered(Duration::from_secs(100));
        let clone = clock.clone();
        clock.advance(Duration::from_millis(250));
        assert_eq!(clone.now(), Duration::from_millis(100_250));
    }

    #[test]
    fn the_system_clock_agrees_with_the_wall() {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let clock = Clock::system().now();
        assert!(clock >= wall && clock < wall + Duration::from_secs(5), "{clock:?} against {wall:?}");
    }
}
