//! The time at which the counts of a series began.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Stamp;

/// A boot time whose translation to wall-clock time is made once, by the first scrape that exports it: a later one
/// would differ by corrections of the clocks since, and a scraper would take that for a restart.
#[derive(Debug)]
pub(crate) struct Created {
    boot_time: Duration,
    /// In nanoseconds; 0 until it is translated.
    wall: AtomicU64,
}

impl Created {
    pub(crate) fn at(boot_time: Duration) -> Self {
        Self { boot_time, wall: AtomicU64::new(0) }
    }

    /// Its wall-clock time, translated now if it was not before.
    pub(crate) fn wall(&self, now: Stamp) -> Duration {
        let known = self.wall.load(Relaxed);
        if known != 0 {
            return Duration::from_nanos(known);
        }
        let translated = match self.boot_time.checked_sub(now.boot_time) {
            Some(later) => now.wall + later,
            None => now.wall.saturating_sub(now.boot_time.saturating_sub(self.boot_time)),
        };
        let nanoseconds = u64::try_from(translated.as_nanos()).unwrap_or(u64::MAX).max(1);
        let first = self.wall.compare_exchange(0, nanoseconds, Relaxed, Relaxed);
        Duration::from_nanos(first.err().unwrap_or(nanoseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_translation_is_kept() {
        let at = |boot_time, wall| Stamp {
            boot_time: Duration::from_secs(boot_time),
            wall: Duration::from_secs(wall),
        };
        let created = Created::at(Duration::from_secs(10));
        assert_eq!(created.wall(at(15, 1_000_005)), Duration::from_secs(1_000_000));
        assert_eq!(created.wall(at(20, 2_000_000)), Duration::from_secs(1_000_000), "the clock was set");
        assert_eq!(
            Created::at(Duration::from_secs(30)).wall(at(20, 2_000_000)),
            Duration::from_secs(2_000_010)
        );
    }
}
