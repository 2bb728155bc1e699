//! The state of each subsystem.

use std::time::Duration;

use super::shape::{Beats, SubsystemState, SubsystemStatus};
use super::time::seconds;
use super::values::{StatusValues, outcomes, quantiles};
use crate::LabelValue as _;
use crate::catalogue::SUBSYSTEM_DURATION_BUCKETS;
use crate::clock::Stamp;
use crate::families::subsystem::{RunEnd, SubsystemHealth};
use crate::history::{self, CallCounts, HistoryRings, SeriesLabels, rounded};
use crate::outcome::Outcome;

/// The state of all subsystems, by name. The outcome of a failure is known from the history.
pub(super) fn of(
    health: &[SubsystemHealth],
    values: &StatusValues<'_>,
    past: Option<&HistoryRings>,
) -> Vec<SubsystemStatus> {
    health.iter().map(|health| subsystem(health, values, past)).collect()
}

fn subsystem(
    health: &SubsystemHealth,
    values: &StatusValues<'_>,
    past: Option<&HistoryRings>,
) -> SubsystemStatus {
    let labels: SeriesLabels = vec![health.subsystem.into()];
    let counts = values.now.subsystems.values.get(&labels).cloned().unwrap_or_default();
    let recent = values.recent(&labels, |reading| &reading.subsystems);
    let recent = recent.as_ref();
    SubsystemStatus {
        subsystem: health.subsystem.to_owned(),
        state: state(health),
        alive: health.is_alive(),
        age_seconds: seconds(health.age),
        age_origin: health.age_origin,
        limit_seconds: seconds(health.max_age),
        attempt_age_seconds: health.last_end_age.map(seconds),
        failing_seconds: failing_for(health, &labels, &counts, values.now.at, past).map(seconds),
        last_outcome: last_outcome(health, &labels, &counts, past).map(str::to_owned),
        running_seconds: health.running_for.map(seconds),
        in_progress: counts.in_progress,
        paused: health.paused.as_deref().map(str::to_owned),
        outcomes: outcomes(&counts),
        rate: recent.and_then(|recent| values.rate_of(recent)),
        mean_seconds: recent.and_then(CallCounts::mean).map(rounded),
        quantiles: recent.and_then(|recent| quantiles(&recent.buckets, &SUBSYSTEM_DURATION_BUCKETS)),
        beats: past.map(|past| columns(past.beats.of(&labels), values.now.at)).unwrap_or_default(),
    }
}

fn state(health: &SubsystemHealth) -> SubsystemState {
    let is_overdue = |age| age > health.max_age;
    if health.paused.is_some() {
        SubsystemState::Paused
    } else if health.hung_for.is_some() {
        SubsystemState::Hung
    } else if health.last_end.is_none() && !is_overdue(health.age) {
        SubsystemState::Waiting
    } else if is_overdue(health.age) && health.last_end_age.is_none_or(is_overdue) {
        SubsystemState::Stalled
    } else if health.last_end == Some(RunEnd::Failed) || is_overdue(health.age) {
        SubsystemState::Failing
    } else {
        SubsystemState::Fresh
    }
}

fn last_outcome(
    health: &SubsystemHealth,
    labels: &SeriesLabels,
    counts: &CallCounts,
    past: Option<&HistoryRings>,
) -> Option<&'static str> {
    match health.last_end? {
        RunEnd::Succeeded => Some(Outcome::Ok.as_str()),
        RunEnd::Skipped => Some(Outcome::Skipped.as_str()),
        RunEnd::Failed => past?.beats.last_failure(labels, counts),
    }
}

/// The time since the first failure after the last success.
fn failing_for(
    health: &SubsystemHealth,
    labels: &SeriesLabels,
    counts: &CallCounts,
    now: Stamp,
    past: Option<&HistoryRings>,
) -> Option<Duration> {
    if health.last_end != Some(RunEnd::Failed) {
        return None;
    }
    let now = now.boot_time;
    let since = past?.beats.failing_since(labels, counts, [now.saturating_sub(health.age), now])?;
    Some(now.saturating_sub(since))
}

/// The beats as columns.
fn columns<'a>(beats: impl Iterator<Item = &'a history::Beat>, now: Stamp) -> Beats {
    let mut columns = Beats::default();
    for history::Beat { at, cycles, failed, outcome, mean } in beats {
        columns.at.push(seconds(now.wall_of(*at)));
        columns.cycles.push(*cycles);
        columns.failed.push(*failed);
        columns.outcome.push((*outcome).to_owned());
        columns.mean_seconds.push(*mean);
    }
    columns
}
