//! Steps of five seconds: the counts between two samplings.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::quantile::{percentiles, rounded};
use super::reading::{
    CallCounts, CountedSeries, HistoryReading, KeptSeries, OUTCOMES, SeriesLabels, is_short,
};
use super::{LEEWAY, MOST_OPERATIONS, MOST_PROFILES, MOST_SUBSYSTEMS};
use crate::catalogue::EXCHANGE_API_LATENCY_BUCKETS;

/// The length of a step.
pub(crate) const STEP: Duration = Duration::from_secs(5);

/// A longer step is a gap.
const LONGEST_STEP: Duration = Duration::from_millis(6_500);

/// The number of steps that are kept: 15 minutes.
pub(crate) const STEPS: usize = 180;

/// The last steps.
#[derive(Debug)]
pub(crate) struct Steps {
    /// The counts at the end of the last step.
    last: Option<HistoryReading>,
    pub(crate) rows: VecDeque<Row>,
    /// By exchange and operation.
    pub(crate) operations: StepTable<CallStep>,
    pub(crate) subsystems: StepTable<RunStep>,
    /// The utilisation of profiles in percent, at the end of each step.
    pub(crate) utilization: StepTable<f32>,
}

/// The moment and the length of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) sequence: u64,
    /// The boot time at its end.
    pub(crate) at: Duration,
    /// `None` for a gap, in which nothing is known.
    pub(crate) length: Option<Duration>,
}

/// The calls or runs that ended within a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct EndedStep<D> {
    /// Their number, by outcome.
    pub(crate) outcomes: [u32; OUTCOMES],
    /// In seconds; NaN if none was observed.
    pub(crate) durations: D,
}

/// Calls, with the 50th, 90th and 99th percentile of their latency.
pub(crate) type CallStep = EndedStep<[f32; 3]>;

/// Runs, with their mean duration: its buckets are too wide for quantiles of a few runs.
pub(crate) type RunStep = EndedStep<f32>;

/// Columns as long as there are rows.
#[derive(Debug)]
pub(crate) struct StepTable<T> {
    pub(crate) columns: Vec<Column<T>>,
    /// The most columns.
    most: usize,
}

/// The steps of one series; `None` in a gap, and while the series did not exist.
#[derive(Debug)]
pub(crate) struct Column<T> {
    pub(crate) labels: SeriesLabels,
    pub(crate) cells: VecDeque<Option<T>>,
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            last: None,
            rows: VecDeque::new(),
            operations: StepTable::new(MOST_OPERATIONS),
            subsystems: StepTable::new(MOST_SUBSYSTEMS),
            utilization: StepTable::new(MOST_PROFILES),
        }
    }
}

impl Steps {
    pub(super) fn are_due(&self, now: Duration) -> bool {
        self.last.as_ref().is_none_or(|last| now.saturating_sub(last.at.boot_time) + LEEWAY >= STEP)
    }

    /// Ends a step with this reading, or a gap if the step took too long. The first reading only begins one.
    pub(super) fn add(&mut self, reading: &HistoryReading, sequence: impl FnOnce() -> u64) {
        // A series that has begun a column goes on with it, whatever others appear.
        let kept = KeptSeries {
            operations: self.operations.labels(),
            subsystems: self.subsystems.labels(),
            profiles: self.utilization.labels(),
        };
        let now = reading.of_catalogue().limited(MOST_OPERATIONS, &kept);
        if let Some(last) = self.last.replace(now) {
            let length = reading.at.boot_time.saturating_sub(last.at.boot_time);
            let length = Some(length).filter(|length| *length <= LONGEST_STEP);
            self.push(Row { sequence: sequence(), at: reading.at.boot_time, length }, &last);
        }
    }

    fn push(&mut self, row: Row, last: &HistoryReading) {
        let before = self.rows.len();
        push(&mut self.rows, row);
        let (operations, subsystems, utilization) = match &self.last {
            Some(now) if row.length.is_some() => {
                let used = now.utilization.iter().map(|(labels, used)| (labels.clone(), percent(*used)));
                let operations = ended(&now.operations, &last.operations);
                (operations, ended(&now.subsystems, &last.subsystems), used.collect())
            }
            _ => Default::default(),
        };
        self.operations.push(before, operations);
        self.subsystems.push(before, subsystems);
        self.utilization.push(before, utilization);
    }

    /// The number of these series that have no steps in one of the tables because there is no room for them.
    pub(crate) fn without_room<'a, T: Clone>(
        &self,
        table: &StepTable<T>,
        series: impl Iterator<Item = &'a SeriesLabels>,
    ) -> usize {
        if self.rows.is_empty() { 0 } else { table.without_room(series) }
    }

    /// Whether older steps have been dropped.
    pub(crate) fn are_full(&self) -> bool {
        self.rows.len() == STEPS
    }

    /// The steps of an operation.
    pub(crate) fn operation(&self, exchange: &str, operation: &str) -> Option<&Column<CallStep>> {
        self.operations.columns.iter().find(|column| column.labels[..] == [exchange, operation])
    }
}

/// What ended between two readings, by series; without those of which nothing has begun yet, which would take the room
/// of others.
fn ended<D>(now: &CountedSeries, then: &CountedSeries) -> BTreeMap<SeriesLabels, EndedStep<D>>
where
    EndedStep<D>: From<CallCounts>,
{
    let step = |(labels, counts): (&SeriesLabels, &CallCounts)| {
        Some((labels.clone(), counts.since(then.values.get(labels))?.into()))
    };
    let is_known =
        |(labels, counts): &(&SeriesLabels, &CallCounts)| counts.has_begun() && !then.may_lack(labels);
    now.values.iter().filter(is_known).filter_map(step).collect()
}

impl From<CallCounts> for CallStep {
    fn from(counts: CallCounts) -> Self {
        let latency = percentiles(&counts.buckets, &EXCHANGE_API_LATENCY_BUCKETS);
        let durations = latency.map_or([f32::NAN; 3], |latency| latency.map(short));
        Self { outcomes: counts.outcomes.map(saturated), durations }
    }
}

impl From<CallCounts> for RunStep {
    fn from(counts: CallCounts) -> Self {
        let durations = counts.mean().map_or(f32::NAN, short);
        Self { outcomes: counts.outcomes.map(saturated), durations }
    }
}

fn saturated(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Seconds with a resolution of 1 ms, or of two digits if they are shorter: a quantile is an estimate, and a status has
/// thousands of them.
#[expect(clippy::cast_possible_truncation, reason = "few digits are kept")]
fn short(seconds: f64) -> f32 {
    if seconds < 0.01 {
        return format!("{seconds:.1e}").parse().unwrap_or(f32::NAN);
    }
    ((seconds * 1_000.0).round() / 1_000.0) as f32
}

/// A percentage of three digits.
#[expect(clippy::cast_possible_truncation, reason = "three digits are kept")]
fn percent(percent: f64) -> f32 {
    rounded(percent) as f32
}

impl<T: Clone> StepTable<T> {
    fn new(most: usize) -> Self {
        Self { columns: Vec::new(), most }
    }

    fn labels(&self) -> BTreeSet<&SeriesLabels> {
        self.columns.iter().map(|column| &column.labels).collect()
    }

    fn without_room<'a>(&self, series: impl Iterator<Item = &'a SeriesLabels>) -> usize {
        let has_column = |labels: &SeriesLabels| self.columns.iter().any(|column| column.labels == *labels);
        let is_full = self.columns.len() >= self.most;
        series.filter(|labels| !is_short(labels) || is_full && !has_column(labels)).count()
    }

    /// Adds a row, which follows `before` others. A series over the limit is left out, until another has no cell left.
    fn push(&mut self, before: usize, mut row: BTreeMap<SeriesLabels, T>) {
        for column in &mut self.columns {
            push(&mut column.cells, row.remove(&column.labels));
        }
        self.columns.retain(|column| column.cells.iter().any(Option::is_some));
        for (labels, cell) in row {
            if self.columns.len() < self.most && is_short(&labels) {
                let mut cells = VecDeque::with_capacity(STEPS);
                cells.resize(before.min(STEPS - 1), None);
                cells.push_back(Some(cell));
                self.columns.push(Column { labels, cells });
            }
        }
    }
}

/// Appends to a ring.
fn push<T>(ring: &mut VecDeque<T>, last: T) {
    if ring.len() == STEPS {
        ring.pop_front();
    } else if ring.capacity() < STEPS {
        ring.reserve_exact(STEPS - ring.len());
    }
    ring.push_back(last);
}
