//! Time, in the forms that the metrics need.
//!
//! | form | counts suspend | jumps | used for |
//! | --- | --- | --- | --- |
//! | ticks | no | never | durations, and timestamps that a scrape translates |
//! | boot time | yes | never | freshness, since a loop on a machine that slept is not fresh |
//! | wall clock | yes | when it is set | `subsystem_last_run_timestamp` only |
//!
//! Recording reads only ticks: the time stamp counter, two readings of which cost less than half of two readings of
//! the monotonic clock. A scrape compares the counter with a clock that time synchronisation does not adjust, and
//! stops using the counter if they disagree. On machines whose counter runs during suspend that happens after the
//! first suspend; a run or update that ends after waking and before that comparison has no timestamp, but the next
//! one has.
//!
//! If ticks and boot time drift apart, the machine slept between two comparisons, and a tick between these two is
//! dated before the suspend. Comparisons are made
//!
//! - at each scrape and each call of `Metrics::health`,
//! - once a second by the server, if there is one,
//! - at the end of each run of a handle, and, if the last comparison is 10 ms old, at each end of an annotated run
//!   that took 0.1 s or did not succeed, and at each update of market data.
//!
//! So an annotated run that succeeds within 0.1 s after waking may look as if it had ended before the suspend: with a
//! server if it ends within a second of waking, without one if it ends before the next scrape. The next run after
//! that comparison is fresh again. No run ever looks fresher than it is.

mod created;
mod machine;
mod scale;
mod ticks;
mod timeline;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use created::{Created, Started};
#[cfg(any(test, feature = "test-util"))]
pub(crate) use machine::TRUST;
pub(crate) use scale::Scale;
use ticks::{TickSource, Ticks};

use crate::lock;
use timeline::Moment;
pub(crate) use timeline::{Latch, Stamp, Timeline, Translation};

/// The source of an instance's time.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    /// The machine's clocks.
    #[default]
    System,
    /// A clock that a test advances.
    #[cfg_attr(not(any(test, feature = "test-util")), expect(dead_code, reason = "tests construct it"))]
    Steered(Arc<dyn Steering>),
}

/// The readings of a manual clock.
pub(crate) trait Steering: std::fmt::Debug + Send + Sync {
    fn monotonic(&self) -> Duration;
    fn boot_time(&self) -> Duration;
    fn wall(&self) -> Duration;
}

impl Clock {
    /// Ticks since an arbitrary origin, for durations.
    #[inline]
    pub(crate) fn ticks(&self) -> u64 {
        match self {
            Self::System => now(),
            Self::Steered(clock) => Scale::NANOSECONDS.ticks(clock.monotonic()),
        }
    }

    /// The length of a tick.
    pub(crate) fn scale(&self) -> Scale {
        self.machine_ticks().map_or(Scale::NANOSECONDS, |ticks| ticks.scale)
    }

    /// Time since an arbitrary origin, including suspends.
    pub(crate) fn boot_time(&self) -> Duration {
        match self {
            Self::System => machine::boot_time(),
            Self::Steered(clock) => clock.boot_time(),
        }
    }

    /// Time since the Unix epoch; zero if the clock is set before it.
    pub(crate) fn wall(&self) -> Duration {
        match self {
            Self::System => machine::wall(),
            Self::Steered(clock) => clock.wall(),
        }
    }

    /// Boot time and wall-clock time at one moment.
    pub(crate) fn stamp(&self) -> Stamp {
        let Moment { boot_time, wall, .. } = self.moment();
        Stamp { boot_time, wall }
    }

    /// All clocks at one moment.
    fn moment(&self) -> Moment {
        // A moment is read again if the thread was interrupted, because a torn one would date every timestamp
        // wrongly.
        const TOGETHER: Duration = Duration::from_micros(100);
        let reading = || {
            let before = self.ticks();
            let (boot_time, wall) = (self.boot_time(), self.wall());
            (self.ticks().saturating_sub(before), Moment { ticks: before, boot_time, wall })
        };
        let together = self.scale().ticks(TOGETHER);
        let mut best = reading();
        for _ in 0..4 {
            if best.0 <= together {
                break;
            }
            best = std::cmp::min_by_key(best, reading(), |(apart, _)| *apart);
        }
        best.1
    }

    /// Compares the count of ticks with the monotonic clock. Returns the difference in ppm if the counter had to be
    /// given up for it, which happens at most once.
    pub(crate) fn check(&self) -> Option<u128> {
        self.machine_ticks()?.check()
    }

    /// Whether its ticks are those of [`time_stamp`].
    pub(crate) fn counts_time_stamps(&self) -> bool {
        self.machine_ticks().is_some_and(Ticks::counts_time_stamps)
    }

    /// The reason why the time stamp counter was never trusted, if it was not.
    pub(crate) fn distrust(&self) -> Option<String> {
        let ticks = self.machine_ticks().filter(|ticks| !ticks.counts_time_stamps() && !ticks.fell_back());
        ticks.and_then(|_| machine::distrust_of_time_stamp())
    }

    /// The number of times the time stamp counter was given up.
    pub(crate) fn fallbacks(&self) -> u64 {
        u64::from(self.machine_ticks().is_some_and(Ticks::fell_back))
    }

    fn machine_ticks(&self) -> Option<&'static Ticks<Machine>> {
        matches!(self, Self::System).then(machine_ticks)
    }
}

/// The machine's ticks, as counted by [`Clock::System`].
pub(crate) fn now() -> u64 {
    machine_ticks().now()
}

/// Like [`now`], but returns `None` when called re-entrantly, from an allocator, while the clock is being created.
#[inline]
pub(crate) fn now_unless_inside() -> Option<u64> {
    TICKS.get_unless_inside(|| Ticks::new(Machine)).map(Ticks::now)
}

/// The seconds since `began`, which was read with [`now_unless_inside`].
#[inline]
pub(crate) fn seconds_since(began: u64) -> f64 {
    // If there is no time now, there was none at the beginning either.
    let took = now_unless_inside().map_or(0, |now| now.saturating_sub(began));
    if took == 0 { 0.0 } else { Clock::System.scale().seconds(took) }
}

/// Reads the time stamp counter in one instruction; equals [`now`] while the counter is trusted.
#[inline]
pub(crate) fn time_stamp() -> u64 {
    machine::time_stamp()
}

static TICKS: lock::Once<Ticks<Machine>> = lock::Once::new();

#[inline]
fn machine_ticks() -> &'static Ticks<Machine> {
    TICKS.get_or_init(|| Ticks::new(Machine))
}

#[derive(Debug)]
struct Machine;

impl TickSource for Machine {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_clocks_move_forward() {
        let clock = Clock::System;
        let (ticks, boot) = (clock.ticks(), clock.boot_time());
        std::thread::sleep(Duration::from_millis(2));
        assert!(clock.scale().duration((clock.ticks() - ticks).into()) >= Duration::from_millis(2));
        assert!(clock.boot_time() >= boot + Duration::from_millis(2));
        assert!(clock.wall() > Duration::from_secs(1_700_000_000));
    }

    /// Lasts 200 ms, where a pair's error of 100 ns is 0.5 ppm, or as long as `CLOCK_MINUTES` says.
    #[test]
    fn ticks_keep_time_with_the_unadjusted_clock() {
        let minutes = std::env::var("CLOCK_MINUTES").ok().and_then(|text| text.parse().ok());
        let watch = minutes.map_or(Duration::from_millis(200), Duration::from_mins);
        let least_disturbed = || {
            let reading = || {
                let (before, time, after) = (now(), machine::unsteered(), now());
                (after - before, before, time)
            };
            (0..64).map(|_| reading()).min().expect("64 of them")
        };
        now();
        let (_, ticks, time) = least_disturbed();
        std::thread::sleep(watch);
        let (_, later, later_time) = least_disturbed();
        let counted = Clock::System.scale().duration((later - ticks).into());
        let passed = later_time.abs_diff(time);
        let off_ppm = passed.abs_diff(counted).as_secs_f64() / passed.as_secs_f64() * 1e6;
        println!("{off_ppm:.3} ppm off over {passed:?}");
        assert!(off_ppm < if minutes.is_some() { 1.0 } else { 20.0 }, "{off_ppm} ppm off over {passed:?}");
    }
}
