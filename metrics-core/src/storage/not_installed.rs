//! Detects recordings of attributes without installed settings, which no scrape would ever export.
//!
//! A bot may record before it installs, so a recording is reported once, and only a while after the first one.
//! Recorded calls must not pay for this check: until settings are installed, call sites cache nothing, and each call
//! takes the slow path of a first call, which checks here.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::Clock;
use crate::lock;
use crate::report::{Report, Topic};

/// Whether settings are installed, or their absence has been reported.
static SETTLED: AtomicBool = AtomicBool::new(false);

/// The time of the first recording, in nanoseconds of boot time; 0 before it.
static SINCE: AtomicU64 = AtomicU64::new(0);

/// The time that a bot may take from its first recording to `install`, in nanoseconds: several requests to an exchange
/// at start-up.
static GRACE: AtomicU64 = AtomicU64::new(10_000_000_000);

/// Whether call sites may cache their series.
#[inline]
pub(crate) fn is_settled() -> bool {
    SETTLED.load(Relaxed)
}

/// Records that settings are installed.
pub(crate) fn settle() {
    SETTLED.store(true, Relaxed);
}

/// Called for a recording of the attribute or declared family at `place`, on the slow path of a first call.
pub(crate) fn note(place: impl fmt::Display) {
    let is_due = || passed(&SINCE, Clock::System.boot_time()) >= GRACE.load(Relaxed);
    // Inside a lock no report can be sent.
    if !is_settled() && is_due() && !lock::is_inside() && !SETTLED.swap(true, Relaxed) {
        Report::default().tell(
            Topic::NotInstalled,
            "",
            format_args!(
                "{place} records, and perhaps others do, but no metrics are installed: nothing of it can be scraped. \
                 Call `Settings::from_env()?.install()?` at the start of `main`; attributes do not record to an \
                 instance of `Settings::build`"
            ),
        );
    }
}

/// Nanoseconds since the first call with this word, which is 0 before it.
fn passed(since: &AtomicU64, now: Duration) -> u64 {
    let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX).max(1);
    let first = since.compare_exchange(0, now, Relaxed, Relaxed).map_or_else(|first| first, |_| now);
    now.saturating_sub(first)
}

/// Ends the grace period, so that the next recording is reported.
#[cfg(any(test, feature = "test-util"))]
pub(crate) fn end_grace() {
    GRACE.store(0, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_from_the_first_recording_on() {
        const GRACE: Duration = Duration::from_secs(10);
        for first in [Duration::ZERO, Duration::from_secs(5_000)] {
            let since = AtomicU64::new(0);
            assert_eq!(passed(&since, first), 0);
            let end = first + GRACE + Duration::from_nanos(1);
            assert!(u128::from(passed(&since, first + GRACE / 2)) < GRACE.as_nanos());
            assert!(u128::from(passed(&since, end)) >= GRACE.as_nanos());
        }
    }
}
