//! Time, in the forms that the metrics need.
//!
//! | clock | includes suspends | can be set | used for |
//! | --- | --- | --- | --- |
//! | ticks | on most machines not | no | durations, and the moment of an event, which a scrape translates |
//! | boot time | yes | no | the age of the last run or update, which includes the time that the machine slept |
//! | wall clock | yes | yes | `subsystem_last_run_timestamp` and created times |
//!
//! Recording normally reads only ticks: the time stamp counter, two readings of which cost less than half of two
//! readings of the monotonic clock. [`Timeline`] translates ticks to the two other clocks.
//!
//! A scrape *checks the counter* against a clock that time synchronisation does not adjust, and stops using it for
//! good if they disagree. A counter that runs during suspends is given up at the first check after a suspend. The tick
//! of a run or update that ended after waking and before that check is in the future of the clock that replaces the
//! counter; it is ignored, and that run or update has no timestamp. Later ones have one.
//!
//! Apart from that, ticks are *compared with boot time*. If the two drift apart, the machine slept at some moment since
//! the last comparison, and ticks since then are translated to times before the suspend. Ticks and boot time are
//! compared
//!
//! - at each scrape and each call of `Metrics::health`,
//! - once a second by the server, if there is one,
//! - at the end of each run that was started through a `SubsystemHandle`,
//! - if the last comparison is at least 10 ms old: at the end of each annotated run that took more than 0.1 s or did
//!   not succeed, and at each update of market data.
//!
//! So an annotated run that succeeds within 0.1 s after waking may be dated before the suspend: with a server if it
//! ends within one second of waking, without one if it ends before the next scrape. Runs that end after the comparison
//! are dated correctly. No run ever looks fresher than it is.

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
pub(crate) use machine::time_stamp;
pub(crate) use scale::Scale;
use ticks::{TickSource, Ticks};

use crate::lock;
use timeline::Moment;
pub(crate) use timeline::{Latch, Stamp, Timeline, Translation};

/// The clocks of a metrics instance.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    /// The machine's clocks.
    #[default]
    System,
    /// A clock that a test advances.
    #[cfg_attr(not(any(test, feature = "test-util")), expect(dead_code, reason = "tests construct it"))]
    Manual(Arc<dyn ManualReadings>),
}

/// A clock that a test advances.
pub(crate) trait ManualReadings: std::fmt::Debug + Send + Sync {
    fn times(&self) -> ManualTimes;
}

/// The time by each clock of a manual one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ManualTimes {
    pub(crate) monotonic: Duration,
    pub(crate) boot_time: Duration,
    pub(crate) wall: Duration,
}

impl Clock {
    /// Ticks since an arbitrary origin, for durations.
    #[inline]
    pub(crate) fn ticks(&self) -> u64 {
        match self {
            Self::System => now(),
            Self::Manual(clock) => Scale::NANOSECONDS.ticks(clock.times().monotonic),
        }
    }

    /// The length of a tick.
    pub(crate) fn scale(&self) -> Scale {
        self.system_ticks().map_or(Scale::NANOSECONDS, |ticks| ticks.scale)
    }

    /// Time since an arbitrary origin, including suspends.
    pub(crate) fn boot_time(&self) -> Duration {
        match self {
            Self::System => machine::boot_time(),
            Self::Manual(clock) => clock.times().boot_time,
        }
    }

    /// Time since the Unix epoch; zero if the clock is set before it.
    pub(crate) fn wall(&self) -> Duration {
        match self {
            Self::System => machine::wall(),
            Self::Manual(clock) => clock.times().wall,
        }
    }

    /// Boot time and wall-clock time at one moment.
    pub(crate) fn stamp(&self) -> Stamp {
        let Moment { boot_time, wall, .. } = self.moment();
        Stamp { boot_time, wall }
    }

    /// Reads all clocks within 100 µs, unless each of five attempts is interrupted; then the fastest one counts.
    fn moment(&self) -> Moment {
        // The time between the readings is an error of all timestamps that this moment translates.
        const LONGEST_READING: Duration = Duration::from_micros(100);
        let reading = || {
            let before = self.ticks();
            let (boot_time, wall) = (self.boot_time(), self.wall());
            (self.ticks().saturating_sub(before), Moment { ticks: before, boot_time, wall })
        };
        let longest = self.scale().ticks(LONGEST_READING);
        let (mut took, mut moment) = reading();
        for _ in 0..4 {
            if took <= longest {
                break;
            }
            (took, moment) = std::cmp::min_by_key((took, moment), reading(), |(took, _)| *took);
        }
        moment
    }

    /// Compares the time stamp counter with the unadjusted monotonic clock. If they differ too much, the counter is
    /// given up for good, and the difference is returned in ppm.
    pub(crate) fn check(&self) -> Option<u128> {
        self.system_ticks()?.check()
    }

    /// Whether ticks are readings of the time stamp counter, as from [`time_stamp`].
    pub(crate) fn counts_time_stamps(&self) -> bool {
        self.system_ticks().is_some_and(Ticks::counts_time_stamps)
    }

    /// The reason why the time stamp counter was not trusted at the start; `None` if it was.
    pub(crate) fn distrust(&self) -> Option<String> {
        let ticks = self.system_ticks().filter(|ticks| !ticks.counts_time_stamps() && !ticks.fell_back());
        ticks.and_then(|_| machine::distrust_of_time_stamp())
    }

    /// The number of times the time stamp counter was given up: 0 or 1, since it is not used again.
    pub(crate) fn fallbacks(&self) -> u64 {
        u64::from(self.system_ticks().is_some_and(Ticks::fell_back))
    }

    fn system_ticks(&self) -> Option<&'static Ticks<Machine>> {
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
    // The clock exists since `began` was read, so the 0 is never used.
    let took = now_unless_inside().map_or(0, |now| now.saturating_sub(began));
    if took == 0 { 0.0 } else { Clock::System.scale().seconds(took) }
}

static TICKS: lock::Once<Ticks<Machine>> = lock::Once::new();

#[inline]
fn machine_ticks() -> &'static Ticks<Machine> {
    TICKS.get_or_init(|| Ticks::new(Machine))
}

/// The machine's clocks, which [`TickSource`] reads by default.
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

    /// Lasts 200 ms, or as many minutes as `CLOCK_MINUTES` says. In 200 ms an error of 100 ns in one reading is 0.5
    /// ppm; the limit of 20 ppm allows for interruptions.
    #[test]
    fn ticks_keep_time_with_the_unadjusted_clock() {
        let minutes = std::env::var("CLOCK_MINUTES").ok().and_then(|text| text.parse().ok());
        let watch = minutes.map_or(Duration::from_millis(200), Duration::from_mins);
        let least_disturbed = || {
            let reading = || {
                let (before, time, after) = (now(), machine::unadjusted(), now());
                (after - before, before, time)
            };
            (0..64).map(|_| reading()).min().expect("there are 64 readings")
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
