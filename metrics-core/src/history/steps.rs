//! Steps of five seconds: the counts between two samplings.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::quantile::{QuantileEstimates, rounded};
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
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// The counts at the end of the last step.
    last: Option<HistoryReading>,
    pub(crate) rows: VecDeque<Row>,
    operations: StepTable<CallStep>,
    subsystems: StepTable<RunStep>,
    utilization: StepTable<f32>,
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

/// The calls that ended within a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CallStep {
    outcomes: [u32; OUTCOMES],
    /// The 50th, 90th and 99th percentile of their latency in seconds; NaN if no call ended.
    pub(crate) quantiles: [f32; 3],
}

/// The runs that ended within a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RunStep {
    outcomes: [u32; OUTCOMES],
    /// Their mean duration in seconds; NaN if none was observed. The buckets of durations are too wide for quantiles of
    /// a few runs.
    pub(crate) mean: f32,
}

/// A step of calls or runs.
pub(crate) trait Ended: From<CallCounts> {
    /// Those that ended, by outcome.
    fn outcomes(&self) -> &[u32; OUTCOMES];
}

/// Columns as long as there are rows.
#[derive(Debug)]
struct StepTable<T>(Vec<Column<T>>);

/// The steps of one series; `None` in a gap, and while the series did not exist.
#[derive(Debug)]
pub(crate) struct Column<T> {
    pub(crate) labels: SeriesLabels,
    pub(crate) cells: VecDeque<Option<T>>,
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
        let Some(now) = self.last.as_ref().filter(|_| row.length.is_some()) else {
            self.operations.push(before, BTreeMap::new(), MOST_OPERATIONS);
            self.subsystems.push(before, BTreeMap::new(), MOST_SUBSYSTEMS);
            self.utilization.push(before, BTreeMap::new(), MOST_PROFILES);
            return;
        };
        self.operations.push(before, ended(&now.operations, &last.of_operations()), MOST_OPERATIONS);
        self.subsystems.push(before, ended(&now.subsystems, &last.of_subsystems()), MOST_SUBSYSTEMS);
        let utilization = now.utilization.iter().map(|(labels, used)| (labels.clone(), percent(*used)));
        self.utilization.push(before, utilization.collect(), MOST_PROFILES);
    }

    /// The number of these operations that have no steps because there is no room for them.
    pub(crate) fn operations_without_room<'a>(
        &self,
        operations: impl Iterator<Item = &'a SeriesLabels>,
    ) -> usize {
        if self.rows.is_empty() { 0 } else { self.operations.without_room(operations, MOST_OPERATIONS) }
    }

    /// The number of these subsystems that have no steps because there is no room for them.
    pub(crate) fn subsystems_without_room<'a>(
        &self,
        subsystems: impl Iterator<Item = &'a SeriesLabels>,
    ) -> usize {
        if self.rows.is_empty() { 0 } else { self.subsystems.without_room(subsystems, MOST_SUBSYSTEMS) }
    }

    /// The number of these profiles that have no steps because there is no room for them.
    pub(crate) fn profiles_without_room<'a>(
        &self,
        profiles: impl Iterator<Item = &'a SeriesLabels>,
    ) -> usize {
        if self.rows.is_empty() { 0 } else { self.utilization.without_room(profiles, MOST_PROFILES) }
    }

    /// Whether older steps have been dropped.
    pub(crate) fn are_full(&self) -> bool {
        self.rows.len() == STEPS
    }

    /// The steps of an operation.
    pub(crate) fn operation(&self, exchange: &str, operation: &str) -> Option<&Column<CallStep>> {
        self.operations.0.iter().find(|column| column.labels[..] == [exchange, operation])
    }

    /// The steps of the exchange's operations, by exchange and operation.
    pub(crate) fn operations(&self) -> &[Column<CallStep>] {
        &self.operations.0
    }

    /// The steps of subsystems.
    pub(crate) fn subsystems(&self) -> &[Column<RunStep>] {
        &self.subsystems.0
    }

    /// The utilisation of profiles in percent, at the end of each step.
    pub(crate) fn utilization(&self) -> &[Column<f32>] {
        &self.utilization.0
    }
}

/// What ended between two readings, by series; without those of which nothing has begun yet, which would take the room
/// of others.
fn ended<T: Ended>(
    now: &BTreeMap<SeriesLabels, CallCounts>,
    then: &CountedSeries<'_>,
) -> BTreeMap<SeriesLabels, T> {
    let step = |(labels, counts): (&SeriesLabels, &CallCounts)| {
        Some((labels.clone(), counts.since(then.counts.get(labels))?.into()))
    };
    let is_known =
        |(labels, counts): &(&SeriesLabels, &CallCounts)| counts.has_begun() && !then.may_lack(labels);
    now.iter().filter(is_known).filter_map(step).collect()
}

impl Ended for CallStep {
    fn outcomes(&self) -> &[u32; OUTCOMES] {
        &self.outcomes
    }
}

impl Ended for RunStep {
    fn outcomes(&self) -> &[u32; OUTCOMES] {
        &self.outcomes
    }
}

impl From<CallCounts> for CallStep {
    fn from(counts: CallCounts) -> Self {
        let quantiles = QuantileEstimates::of(&counts.buckets, &EXCHANGE_API_LATENCY_BUCKETS);
        Self {
            outcomes: counts.outcomes.map(saturated),
            quantiles: quantiles.map_or([f32::NAN; 3], |QuantileEstimates(quantiles)| quantiles.map(short)),
        }
    }
}

impl From<CallCounts> for RunStep {
    fn from(counts: CallCounts) -> Self {
        Self { outcomes: counts.outcomes.map(saturated), mean: counts.mean().map_or(f32::NAN, short) }
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

impl<T> Default for StepTable<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone> StepTable<T> {
    fn labels(&self) -> BTreeSet<&SeriesLabels> {
        self.0.iter().map(|column| &column.labels).collect()
    }

    fn without_room<'a>(&self, series: impl Iterator<Item = &'a SeriesLabels>, most: usize) -> usize {
        let has_column = |labels: &SeriesLabels| self.0.iter().any(|column| column.labels == *labels);
        let is_full = self.0.len() >= most;
        series.filter(|labels| !is_short(labels) || is_full && !has_column(labels)).count()
    }

    /// Adds a row, which follows `before` others. A series over the limit is left out, until another has no cell left.
    fn push(&mut self, before: usize, mut row: BTreeMap<SeriesLabels, T>, most: usize) {
        for column in &mut self.0 {
            push(&mut column.cells, row.remove(&column.labels));
        }
        self.0.retain(|column| column.cells.iter().any(Option::is_some));
        for (labels, cell) in row {
            if self.0.len() < most && is_short(&labels) {
                let mut cells = VecDeque::with_capacity(STEPS);
                cells.resize(before.min(STEPS - 1), None);
                cells.push_back(Some(cell));
                self.0.push(Column { labels, cells });
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
