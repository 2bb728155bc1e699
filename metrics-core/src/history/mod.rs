//! The last quarter of an hour, kept in memory for the status page.
//!
//! A server samples the instance once a second, on a thread that renders pages. Recording takes no part in it: a
//! sampling reads the same counts as a scrape, and everything here is a difference of two readings.
//!
//! - [`BeatRings`]: the last seconds in which cycles of a subsystem ended, sampled every second.
//! - [`LastOrders`]: when each profile placed its last order, likewise.
//! - [`Steps`]: rates, quantiles and outcomes of steps of 5 s, 180 of them. A sampling that is late or missed leaves a
//!   gap, because the rate of an interval of unknown content would mislead.
//! - [`Window`]: a reading that is 30 to 60 s old, from which the current rates and quantiles follow.
//!
//! All of it takes at most 1 MiB, whatever the number of series: those over the limits are left out. `tests/memory`
//! measures it.

mod beats;
mod cell;
mod orders;
mod quantile;
mod reading;
mod selected;
mod steps;
mod window;

use std::time::Duration;

use self::selected::{is_of_catalogue, is_of_subsystems};
use crate::catalogue::{Family, Origin};

pub(crate) use beats::{Beat, BeatRings};
pub(crate) use cell::HistoryCell;
pub(crate) use orders::{LastOrders, PlacedOrders};
pub(crate) use quantile::{percentiles, rounded};
pub(crate) use reading::{
    CallCounts, CountedSeries, HistoryReading, OUTCOMES, SeriesLabels, differences, failed_calls, words,
};
pub(crate) use selected::{Selected, Selection};
pub(crate) use steps::{CallStep, Column, EndedStep, Row, RunStep, STEP, Steps};
pub(crate) use window::Window;

/// The most operations, subsystems and profiles with a chart.
const MOST_OPERATIONS: usize = 32;
const MOST_SUBSYSTEMS: usize = 16;
const MOST_PROFILES: usize = 64;

/// The most operations with a current rate, which takes less memory than a chart.
const MOST_RATED_OPERATIONS: usize = 128;

/// A series whose label values have more bytes has no history.
const LONGEST_LABELS: usize = 128;

/// The most series of a bot's own families that a sampling reads.
pub(crate) const MOST_OWN: usize = 400;

/// A server's timer may be early by this much.
const LEEWAY: Duration = Duration::from_millis(500);

/// The history of an instance.
#[derive(Debug, Default)]
pub(crate) struct HistoryRings {
    sampled_at: Option<Duration>,
    pub(crate) beats: BeatRings,
    pub(crate) orders: LastOrders,
    pub(crate) steps: Steps,
    pub(crate) window: Window,
}

/// How much a sampling reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// The runs of subsystems, and the orders of profiles.
    Beat,
    /// Calls and utilisation too.
    Step,
    /// A bot's own families too.
    Window,
}

impl Depth {
    /// The families to read.
    pub(crate) fn families(self) -> fn(&Family) -> bool {
        match self {
            Self::Beat => is_of_subsystems,
            Self::Step => is_of_catalogue,
            Self::Window => |family| is_of_catalogue(family) || family.origin == Origin::Custom,
        }
    }
}

impl HistoryRings {
    /// The depth of the reading that is due at this boot time; `None` if another server has sampled just before.
    pub(crate) fn due(&self, now: Duration) -> Option<Depth> {
        match self.sampled_at {
            None => Some(Depth::Window),
            Some(last) if now.saturating_sub(last) < LEEWAY => None,
            Some(_) if self.window.is_due(now) => Some(Depth::Window),
            Some(_) if self.steps.are_due(now) => Some(Depth::Step),
            Some(_) => Some(Depth::Beat),
        }
    }

    /// Adds a reading of this depth. Each step takes a sequence number.
    pub(crate) fn add(&mut self, depth: Depth, reading: HistoryReading, sequence: impl FnOnce() -> u64) {
        let now = reading.at.boot_time;
        // Another server may have sampled since `due`.
        if self.sampled_at.is_some_and(|last| now < last + LEEWAY) {
            return;
        }
        self.sampled_at = Some(now);
        self.beats.add(&reading);
        self.orders.add(&reading.placed, now);
        if depth >= Depth::Step && self.steps.are_due(now) {
            self.steps.add(&reading, sequence);
        }
        if depth == Depth::Window {
            self.window.rotate(reading);
        }
    }
}

#[cfg(test)]
mod tests;
