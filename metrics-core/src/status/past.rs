//! The last 15 minutes, as columns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::number;
use super::time::seconds;
use super::values::label;
use crate::LabelValue as _;
use crate::catalogue::EXCHANGE_API_LATENCY_BUCKETS;
use crate::clock::Stamp;
use crate::history::{CallStep, Column, EndedStep, OUTCOMES, Row, RunStep, STEP, Steps};
use crate::outcome::Outcome;

/// Steps of 5 s, the oldest first. All columns have the same length: one entry for each step, at most 180.
///
/// A sampling that came late or not at all leaves one step without figures: its length is `None`, and so is every other
/// entry, so that a chart breaks its line there. A series has `None` for steps before its beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct History {
    /// The intended length of a step in seconds: 5.
    pub step_seconds: f64,
    /// The sequence number of each step; increasing, with gaps.
    pub sequence: Vec<u64>,
    /// The end of each step, in Unix seconds.
    pub at: Vec<f64>,
    /// The upper bound of the lowest bucket of a latency, in seconds. Of a quantile up to it, only that is measured.
    #[serde(default)]
    pub latency_resolution: f64,
    /// The measured length of each step in seconds.
    pub seconds: Vec<Option<f64>>,
    /// The calls of at most 32 operations at exchanges, without those that had no call within the kept steps.
    pub operations: Vec<OperationHistory>,
    /// The cycles of at most 16 subsystems, likewise.
    pub subsystems: Vec<SubsystemHistory>,
    /// The utilisation of at most 64 profiles.
    pub profiles: Vec<ProfileHistory>,
}

/// The calls of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperationHistory {
    /// The exchange.
    pub exchange: String,
    /// The operation.
    pub operation: String,
    /// The calls that ended in each step.
    pub calls: Vec<Option<u64>>,
    /// Their median latency in seconds, with a resolution of 1 ms, or two digits below 10 ms; `None` without a call.
    pub p50: Vec<Option<f32>>,
    /// The 90th percentile.
    pub p90: Vec<Option<f32>>,
    /// The 99th percentile.
    pub p99: Vec<Option<f32>>,
    /// The calls of each outcome except `ok`; outcomes without a call in these steps are left out.
    pub outcomes: BTreeMap<String, Vec<Option<u64>>>,
}

/// The cycles of a subsystem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubsystemHistory {
    /// Its name.
    pub subsystem: String,
    /// The cycles that ended in each step.
    pub runs: Vec<Option<u64>>,
    /// Their mean duration in seconds, with a resolution of 1 ms; `None` without an observed one.
    pub mean_seconds: Vec<Option<f32>>,
    /// The cycles of each outcome except `ok`; outcomes without a cycle in these steps are left out.
    pub outcomes: BTreeMap<String, Vec<Option<u64>>>,
}

/// The utilisation of a profile's capital.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProfileHistory {
    /// Its name.
    pub profile: String,
    /// In percent, of three digits, at the end of each step; +∞, in JSON `"+Inf"`, if nothing is allocated.
    #[serde(with = "number::column")]
    pub utilization_percent: Vec<Option<f32>>,
}

impl History {
    /// The steps after the one with this sequence number.
    pub(super) fn of(steps: &Steps, since: u64, now: Stamp) -> Self {
        let known = steps.rows.partition_point(|row| row.sequence <= since);
        let rows = || steps.rows.iter().skip(known);
        Self {
            step_seconds: STEP.as_secs_f64(),
            sequence: rows().map(|row| row.sequence).collect(),
            at: rows().map(|row| seconds(now.wall_of(row.at))).collect(),
            seconds: rows().map(|Row { length, .. }| length.map(seconds)).collect(),
            latency_resolution: EXCHANGE_API_LATENCY_BUCKETS.first().copied().unwrap_or_default(),
            operations: of_columns(&steps.operations.columns, known, has_ended, operation),
            subsystems: of_columns(&steps.subsystems.columns, known, has_ended, subsystem),
            profiles: of_columns(&steps.utilization.columns, known, |_| true, profile),
        }
    }
}

/// The histories of the series that have a cell after the known ones, and any cell that counts.
fn of_columns<T, H>(
    columns: &[Column<T>],
    known: usize,
    counts: impl Fn(&T) -> bool,
    history: impl Fn(&Column<T>, usize) -> H,
) -> Vec<H> {
    let is_current = |column: &&Column<T>| {
        column.cells.iter().skip(known).any(Option::is_some) && column.cells.iter().flatten().any(&counts)
    };
    columns.iter().filter(is_current).map(|column| history(column, known)).collect()
}

fn has_ended<D>(step: &EndedStep<D>) -> bool {
    step.outcomes.iter().any(|count| *count > 0)
}

fn profile(column: &Column<f32>, known: usize) -> ProfileHistory {
    let utilization_percent = column.cells.iter().skip(known).copied().collect();
    ProfileHistory { profile: label(&column.labels, 0), utilization_percent }
}

fn operation(column: &Column<CallStep>, known: usize) -> OperationHistory {
    let [p50, p90, p99] = [0, 1, 2].map(|index| durations(column, known, |step| step.durations[index]));
    OperationHistory {
        exchange: label(&column.labels, 0),
        operation: label(&column.labels, 1),
        calls: ended(column, known),
        p50,
        p90,
        p99,
        outcomes: outcomes(column, known),
    }
}

fn subsystem(column: &Column<RunStep>, known: usize) -> SubsystemHistory {
    SubsystemHistory {
        subsystem: label(&column.labels, 0),
        runs: ended(column, known),
        mean_seconds: durations(column, known, |step| step.durations),
        outcomes: outcomes(column, known),
    }
}

fn ended<D>(column: &Column<EndedStep<D>>, known: usize) -> Vec<Option<u64>> {
    let ended = |step: &EndedStep<D>| step.outcomes.iter().copied().map(u64::from).sum();
    column.cells.iter().skip(known).map(|cell| cell.as_ref().map(ended)).collect()
}

/// A column of durations, which are NaN if there are none.
fn durations<T>(column: &Column<T>, known: usize, duration: impl Fn(&T) -> f32) -> Vec<Option<f32>> {
    let present = |cell: &Option<T>| cell.as_ref().map(&duration).filter(|duration| !duration.is_nan());
    column.cells.iter().skip(known).map(present).collect()
}

fn outcomes<D>(column: &Column<EndedStep<D>>, known: usize) -> BTreeMap<String, Vec<Option<u64>>> {
    let cells = || column.cells.iter().skip(known);
    let has_occurred = |index: &usize| cells().flatten().any(|step| step.outcomes[*index] > 0);
    let of = |index: usize| {
        let counts = cells().map(|cell| cell.as_ref().map(|step| step.outcomes[index].into()));
        (Outcome::VALUES[index].to_owned(), counts.collect())
    };
    (0..OUTCOMES).filter(|index| *index != Outcome::Ok.index()).filter(has_occurred).map(of).collect()
}
