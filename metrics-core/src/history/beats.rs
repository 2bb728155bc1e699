//! The last seconds in which cycles ended.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::reading::{CallCounts, HistoryReading, SeriesLabels, is_short};
use super::{MOST_SUBSYSTEMS, rounded};

/// The number of beats that are kept of each subsystem.
pub(crate) const BEATS: usize = 60;

/// The last beats of each subsystem.
#[derive(Debug, Default)]
pub(crate) struct BeatRings {
    subsystems: BTreeMap<SeriesLabels, Pulse>,
    /// Whether the counts of a first reading are known, so that those of a new subsystem began afterwards.
    has_begun: bool,
}

#[derive(Clone, Debug, Default)]
struct Pulse {
    counted: CallCounts,
    beats: VecDeque<Beat>,
    /// The time of the first of the beats in a row that have a failure and no later success.
    failing_since: Option<Duration>,
}

/// The cycles that ended between two samplings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Beat {
    /// The boot time of the second sampling.
    pub(crate) at: Duration,
    pub(crate) cycles: u64,
    pub(crate) failed: u64,
    /// The most frequent failure, otherwise the most frequent outcome.
    pub(crate) outcome: &'static str,
    /// In seconds; `None` if no duration was observed.
    pub(crate) mean: Option<f64>,
}

impl BeatRings {
    pub(super) fn add(&mut self, reading: &HistoryReading) {
        for (labels, counts) in &reading.subsystems.values {
            let has_room = self.subsystems.len() < MOST_SUBSYSTEMS && is_short(labels);
            let pulse = match self.subsystems.get_mut(labels) {
                Some(pulse) => pulse,
                None if has_room => self.subsystems.entry(labels.clone()).or_default(),
                None => continue,
            };
            // Cycles that ended before the first sampling belong to no second.
            let beat = pulse.beat_until(counts, reading.at.boot_time).filter(|_| self.has_begun);
            if let Some(beat) = beat {
                pulse.failing_since = match beat.failed {
                    0 => None,
                    failed if failed == beat.cycles => pulse.failing_since.or(Some(beat.at)),
                    _ => Some(beat.at),
                };
                if pulse.beats.len() == BEATS {
                    pulse.beats.pop_front();
                }
                pulse.beats.push_back(beat);
            }
            pulse.counted = counts.clone();
        }
        self.has_begun = true;
    }

    /// The beats of a subsystem, the oldest first.
    pub(crate) fn of(&self, labels: &SeriesLabels) -> impl Iterator<Item = &Beat> {
        self.subsystems.get(labels).into_iter().flat_map(|pulse| &pulse.beats)
    }

    /// The most frequent failure of the last second in which a cycle failed, including the second that has not been
    /// sampled yet, up to `now`; `None` if no sampling has seen one.
    pub(crate) fn last_failure(&self, labels: &SeriesLabels, now: &CallCounts) -> Option<&'static str> {
        let pulse = self.pulse(labels)?;
        let unsampled = pulse.beat_until(now, Duration::ZERO).filter(|beat| beat.failed > 0);
        let sampled = || pulse.beats.iter().rev().find(|beat| beat.failed > 0).cloned();
        unsampled.or_else(sampled).map(|beat| beat.outcome)
    }

    /// The first sampling that has seen a failure after the last success of a subsystem whose last cycle failed, or `at`
    /// if that failure has not been sampled yet. Times are boot times. `None` if no sampling has seen one.
    pub(crate) fn failing_since(
        &self,
        labels: &SeriesLabels,
        now: &CallCounts,
        [succeeded_at, at]: [Duration; 2],
    ) -> Option<Duration> {
        let pulse = self.pulse(labels)?;
        let unsampled = pulse.beat_until(now, at);
        let failed = pulse.beats.iter().chain(&unsampled).filter(|beat| beat.failed > 0).map(|beat| beat.at);
        // There may have been more failures in a row than there are beats.
        let known = pulse.failing_since.into_iter().chain(failed);
        known.filter(|failed_at| *failed_at > succeeded_at).min()
    }

    /// A subsystem that is new since the last sampling has an empty pulse.
    fn pulse(&self, labels: &SeriesLabels) -> Option<Cow<'_, Pulse>> {
        let is_new = self.has_begun && self.subsystems.len() < MOST_SUBSYSTEMS;
        self.subsystems.get(labels).map(Cow::Borrowed).or(is_new.then(|| Cow::Owned(Pulse::default())))
    }
}

impl Pulse {
    /// The cycles since the last reading; `None` if there are none.
    fn beat_until(&self, counts: &CallCounts, at: Duration) -> Option<Beat> {
        let since = counts.since(Some(&self.counted).filter(|counted| !counted.buckets.is_empty()))?;
        let outcome = since.main_outcome()?;
        Some(Beat {
            at,
            cycles: since.ended(),
            failed: since.failed(),
            outcome,
            mean: since.mean().map(rounded),
        })
    }
}
