//! The time at which the counts of a series began.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Stamp;

/// A boot time, rounded down to a tenth of a second, in four bytes: there is one in each series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Created(u32);

const UNIT: Duration = Duration::from_millis(100);

impl Created {
    pub(crate) fn at(boot_time: Duration) -> Self {
        Self(u32::try_from(boot_time.as_millis() / UNIT.as_millis()).unwrap_or(u32::MAX))
    }

    /// The wall-clock time, for a machine that was started at `started`.
    pub(crate) fn wall(self, started: Duration) -> Duration {
        started + UNIT * self.0
    }
}

/// The wall-clock time at which the machine was started. It is constant, since a scraper would take a created time
/// that moves for a restart, unless the clock is set.
#[derive(Debug, Default)]
pub(crate) struct Started(AtomicU64);

/// A smaller difference comes from a clock that is corrected gradually.
const SAME: Duration = Duration::from_secs(1);

impl Started {
    pub(crate) fn wall(&self, now: Stamp) -> Duration {
        let (known, computed) =
            (Duration::from_nanos(self.0.load(Relaxed)), now.wall.saturating_sub(now.boot_time));
        if known.abs_diff(computed) < SAME {
            return known;
        }
        self.0.store(u64::try_from(computed.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        computed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_time_is_constant_until_the_clock_is_set() {
        let at = |boot_time, wall_ms| Stamp {
            boot_time: Duration::from_secs(boot_time),
            wall: Duration::from_millis(wall_ms),
        };
        let (started, created) = (Started::default(), Created::at(Duration::from_millis(10_299)));
        for (now, expected) in [
            (at(15, 1_000_015_000), 1_000_010_200),
            (at(20, 1_000_020_900), 1_000_010_200),
            (at(30, 2_000_030_000), 2_000_010_200),
            (at(40, 2_000_039_500), 2_000_010_200),
        ] {
            assert_eq!(created.wall(started.wall(now)), Duration::from_millis(expected), "{now:?}");
        }
    }
}
