//! Time, in the three forms that the metrics need.
//!
//! | form | counts suspend | jumps | used for |
//! | --- | --- | --- | --- |
//! | monotonic | no | never | durations |
//! | boot time | yes | never | freshness: a machine that slept is not fresh |
//! | wall clock | yes | when somebody sets it | `subsystem_last_run_timestamp` alone |

use std::fmt;
use std::sync::Arc;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where an instance reads the time.
#[derive(Clone, Default)]
pub(crate) enum Clock {
    /// The machine's.
    #[default]
    System,
    /// One that a test steers.
    #[cfg_attr(not(any(test, feature = "test-util")), expect(dead_code, reason = "tests construct it"))]
    Steered(Arc<dyn Steering>),
}

/// A clock that is told what to say.
pub(crate) trait Steering: Send + Sync {
    fn monotonic(&self) -> Duration;
    fn boot_time(&self) -> Duration;
    fn wall(&self) -> Duration;
}

impl Clock {
    /// Time since an arbitrary origin, for durations.
    pub(crate) fn monotonic(&self) -> Duration {
        match self {
            Self::System => ORIGIN.elapsed(),
            Self::Steered(clock) => clock.monotonic(),
        }
    }

    /// Time since an arbitrary origin, suspend included.
    pub(crate) fn boot_time(&self) -> Duration {
        match self {
            Self::System => boot_time(),
            Self::Steered(clock) => clock.boot_time(),
        }
    }

    /// Time since the Unix epoch; a clock set before it says zero.
    pub(crate) fn wall(&self) -> Duration {
        match self {
            Self::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Self::Steered(clock) => clock.wall(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Steered(_) => "Steered",
        })
    }
}

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// `CLOCK_BOOTTIME`: the standard library's clocks stand still while the machine is suspended.
#[cfg(target_os = "linux")]
fn boot_time() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for writing a timespec, and the call keeps no pointer.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut now) };
    match (status, u64::try_from(now.tv_sec), u32::try_from(now.tv_nsec)) {
        (0, Ok(seconds), Ok(nanoseconds)) => Duration::new(seconds, nanoseconds),
        _ => ORIGIN.elapsed(),
    }
}

#[cfg(not(target_os = "linux"))]
fn boot_time() -> Duration {
    ORIGIN.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_clocks_move_forward() {
        let clock = Clock::System;
        let (monotonic, boot) = (clock.monotonic(), clock.boot_time());
        std::thread::sleep(Duration::from_millis(2));
        assert!(clock.monotonic() >= monotonic + Duration::from_millis(2));
        assert!(clock.boot_time() >= boot + Duration::from_millis(2));
        assert!(clock.wall() > Duration::from_secs(1_700_000_000));
    }
}
