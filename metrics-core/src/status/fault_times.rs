//! Since when the bot has not been well.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::shape::OperationStatus;
use super::time::seconds;
use crate::LabelValue as _;
use crate::clock::Stamp;
use crate::families::profile_times::ProfileFigures;
use crate::history::{CallStep, Steps};
use crate::labels::Source;

/// Bad calls that are further apart belong to different faults: the window of the verdict is not longer.
const LONGEST_BREAK: Duration = Duration::from_secs(60);

/// The known beginnings of faults.
pub(super) struct FaultTimes<'a> {
    pub(super) now: Stamp,
    pub(super) steps: &'a Steps,
    pub(super) profiles: &'a BTreeMap<Arc<str>, ProfileFigures>,
    /// By source, in boot time.
    pub(super) missing: [Option<Duration>; Source::VALUES.len()],
}

impl FaultTimes<'_> {
    pub(super) fn below_zero(&self, profile: &str) -> Option<f64> {
        self.wall(self.profiles.get(profile)?.below_since)
    }

    pub(super) fn over_allocated(&self, profile: &str) -> Option<f64> {
        self.wall(self.profiles.get(profile)?.over_since)
    }

    pub(super) fn missing(&self, source: &str) -> Option<f64> {
        let index = Source::VALUES.iter().position(|known| *known == source)?;
        self.wall(self.missing[index])
    }

    /// The beginning of the first step of a series of steps with bad calls, which lasts until now; `None` if it may have
    /// begun before the history.
    pub(super) fn bad_calls(
        &self,
        operation: &OperationStatus,
        is_bad: impl Fn(&CallStep) -> bool,
    ) -> Option<f64> {
        let column = self.steps.operation(&operation.exchange, &operation.operation)?;
        let newest = self.steps.rows.back()?.at;
        // A step that is not over yet may have the first bad call.
        let mut begin = newest;
        for (row, cell) in self.steps.rows.iter().zip(&column.cells).rev() {
            let started = row.at.saturating_sub(row.length.unwrap_or_default());
            if begin.saturating_sub(row.at) > LONGEST_BREAK {
                return self.wall(Some(begin));
            }
            if cell.as_ref().is_some_and(&is_bad) {
                begin = started;
            }
        }
        let oldest = self.steps.rows.front()?.at;
        let may_be_older = self.steps.are_full() && begin.saturating_sub(oldest) <= LONGEST_BREAK;
        self.wall(Some(begin).filter(|_| !may_be_older))
    }

    fn wall(&self, boot_time: Option<Duration>) -> Option<f64> {
        boot_time.map(|at| seconds(self.now.wall_of(at)))
    }
}
