//! Recordings of attributes while no settings are installed: no scrape would ever show them, and nothing else would say so.
//!
//! A bot may record before it installs. So it is reported once, when something is recorded that long after the first
//! recording. A recorded call must not pay for that: until then sites remember nothing that would let them leave out the
//! slow path of a first call, which asks here.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::Clock;
use crate::lock;
use crate::report::{Report, Topic};

/// How long a bot may take from its first recording to `install`: several requests to an exchange at start-up.
const GRACE: Duration = Duration::from_secs(10);

/// Whether settings are installed, or it is reported that none are.
static SETTLED: AtomicBool = AtomicBool::new(false);

/// When the first recording was, in nanoseconds of boot time; 0 before it.
static SINCE: AtomicU64 = AtomicU64::new(0);

/// In nanoseconds.
#[expect(clippy::cast_possible_truncation, reason = "ten seconds")]
static LONGEST: AtomicU64 = AtomicU64::new(GRACE.as_nanos() as u64);

/// Whether sites may remember what they record to.
#[inline]
pub(crate) fn is_settled() -> bool {
    SETTLED.load(Relaxed)
}

/// Settings are installed.
pub(crate) fn settle() {
    SETTLED.store(true, Relaxed);
}

/// Something that an attribute or a declared family at `place` records, on the slow path of a first call.
pub(crate) fn note(place: impl fmt::Display) {
    // Inside a lock nothing could be told.
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

/// Whether the first recording is too long ago.
fn is_due() -> bool {
    passed(&SINCE, Clock::System.boot_time()) >= LONGEST.load(Relaxed)
}

/// Nanoseconds since the first call with this word, which is 0 before it.
fn passed(since: &AtomicU64, now: Duration) -> u64 {
    let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX).max(1);
    let first = since.compare_exchange(0, now, Relaxed, Relaxed).map_or_else(|first| first, |_| now);
    now.saturating_sub(first)
}

/// Reports the next recording at once.
#[cfg(any(test, feature = "test-util"))]
pub(crate) fn end_grace() {
    LONGEST.store(0, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_from_the_first_recording_on() {
        for first in [Duration::ZERO, Duration::from_secs(5_000)] {
            let since = AtomicU64::new(0);
            assert_eq!(passed(&since, first), 0);
            let end = first + GRACE + Duration::from_nanos(1);
            assert!(u128::from(passed(&since, first + GRACE / 2)) < GRACE.as_nanos());
            assert!(u128::from(passed(&since, end)) >= GRACE.as_nanos());
        }
    }
}
