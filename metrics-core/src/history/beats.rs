//! The last seconds in which cycles ended.

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

#[derive(Debug, Default)]
struct Pulse {
    counted: CallCounts,
    beats: VecDeque<Beat>,
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
        for (labels, counts) in &reading.subsystems {
            let has_room = self.subsystems.len() < MOST_SUBSYSTEMS && is_short(labels);
            let pulse = match self.subsystems.get_mut(labels) {
                Some(pulse) => pulse,
                None if has_room => self.subsystems.entry(labels.clone()).or_default(),
                None => continue,
            };
            // Cycles that ended before the first sampling belong to no second.
            let beat = pulse.beat_until(counts, reading.at.boot_time).filter(|_| self.has_begun);
            if let Some(beat) = beat {
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
        let is_new = self.has_begun && self.subsystems.len() < MOST_SUBSYSTEMS;
        let new = Pulse::default();
        let pulse = self.subsystems.get(labels).or(is_new.then_some(&new))?;
        let unsampled = pulse.beat_until(now, Duration::ZERO).filter(|beat| beat.failed > 0);
        let sampled = || pulse.beats.iter().rev().find(|beat| beat.failed > 0).cloned();
        unsampled.or_else(sampled).map(|beat| beat.outcome)
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
