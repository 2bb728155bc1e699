//! A reading of the series that have a history, at one moment.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{LONGEST_LABELS, MOST_PROFILES, MOST_SUBSYSTEMS, PlacedOrders, Selection};
use crate::catalogue::{self, Family, Origin};
use crate::clock::Stamp;
use crate::labels::value::LabelValue as _;
use crate::outcome::Outcome;
use crate::storage::{FamilySnapshot, HistogramValue, Sample, Value};

/// The values of a series' labels.
pub(crate) type SeriesLabels = Vec<Cow<'static, str>>;

/// The name of one of a bot's own families, and the labels of a series of it.
pub(crate) type OwnKey = (&'static str, SeriesLabels);

/// The number of outcomes.
pub(crate) const OUTCOMES: usize = Outcome::VALUES.len();

/// The most words that are kept of a bot's own series, about 64 KiB.
const MOST_OWN_WORDS: usize = 8 * 1024;

/// The words that a key takes at most, beside its series.
const KEY_WORDS: usize = LONGEST_LABELS / 8 + 8;

/// The counts of calls or runs since their series began.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CallCounts {
    /// Observed durations, by bucket.
    pub(crate) buckets: Vec<u64>,
    /// The sum of the observed durations in seconds.
    pub(crate) sum: f64,
    pub(crate) outcomes: [u64; OUTCOMES],
    pub(crate) in_progress: u64,
}

/// All counts up to one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistoryReading {
    pub(crate) at: Stamp,
    /// By exchange and operation.
    pub(crate) operations: CountedSeries,
    /// By subsystem.
    pub(crate) subsystems: CountedSeries,
    /// In percent, by profile.
    pub(crate) utilization: BTreeMap<SeriesLabels, f64>,
    pub(crate) placed: PlacedOrders,
    /// The counts of a bot's own counters and histograms, by bucket; a float counter's as its bits.
    pub(crate) own: SeriesList<OwnKey, Vec<u64>>,
}

/// Series by their labels, of which some may have been left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeriesList<K, V> {
    pub(crate) values: BTreeMap<K, V>,
    pub(super) is_cut: bool,
}

/// The counts of operations or subsystems.
pub(crate) type CountedSeries = SeriesList<SeriesLabels, CallCounts>;

/// The series that are kept already.
#[derive(Debug, Default)]
pub(super) struct KeptSeries<'a> {
    pub(super) operations: BTreeSet<&'a SeriesLabels>,
    pub(super) subsystems: BTreeSet<&'a SeriesLabels>,
    pub(super) profiles: BTreeSet<&'a SeriesLabels>,
}

impl<K: Ord, V> SeriesList<K, V> {
    /// Whether this series may have been left out, so that its values are not known.
    pub(crate) fn may_lack(&self, key: &K) -> bool {
        self.is_cut && !self.values.contains_key(key)
    }
}

impl CountedSeries {
    fn of(&mut self, labels: &[Cow<'static, str>]) -> &mut CallCounts {
        self.values.entry(labels.to_vec()).or_default()
    }

    /// Sets the count of the outcome that is the last of `labels`.
    fn count_outcome(&mut self, labels: &[Cow<'static, str>], count: u64) {
        let Some((outcome, labels)) = labels.split_last() else { return };
        if let Some(index) = Outcome::VALUES.iter().position(|known| known == outcome) {
            self.of(labels).outcomes[index] = count;
        }
    }

    /// Leaves out the series over the limit. Those that are `kept` already are the last to go, and those without a call or
    /// run the first.
    fn limit(&mut self, most: usize, kept: &BTreeSet<&SeriesLabels>) {
        let rank = |labels: &_, counts: &CallCounts| (kept.contains(labels), counts.has_begun());
        self.is_cut |= limit(&mut self.values, most, rank);
    }
}

impl CallCounts {
    /// The number of ends.
    pub(crate) fn ended(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Whether anything was counted or is in progress.
    pub(crate) fn has_begun(&self) -> bool {
        self.in_progress > 0 || self.ended() > 0
    }

    /// The number of observed durations.
    pub(crate) fn observed(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The mean of the observed durations in seconds; `None` without one.
    pub(crate) fn mean(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "2^53 calls take centuries")]
        let observed = self.observed() as f64;
        (observed > 0.0).then(|| (self.sum / observed).max(0.0))
    }

    /// The counts since `earlier`; `None` if a count fell, because the series began anew.
    pub(crate) fn since(&self, earlier: Option<&Self>) -> Option<Self> {
        let Some(earlier) = earlier else { return Some(self.clone()) };
        let mut outcomes = [0; OUTCOMES];
        for (difference, (now, then)) in outcomes.iter_mut().zip(self.outcomes.iter().zip(earlier.outcomes)) {
            *difference = now.checked_sub(then)?;
        }
        let buckets = differences(&self.buckets, &earlier.buckets)?;
        Some(Self { buckets, sum: self.sum - earlier.sum, outcomes, in_progress: self.in_progress })
    }

    /// The number of ends that are neither a success nor a skip.
    pub(crate) fn failed(&self) -> u64 {
        self.ended() - self.outcomes[Outcome::Ok.index()] - self.outcomes[Outcome::Skipped.index()]
    }

    /// The number of calls that failed.
    pub(crate) fn failed_calls(&self) -> u64 {
        failed_calls(&self.outcomes).map(|(_, count)| count).sum()
    }

    /// The most frequent outcome, of failures if there are any; `None` if nothing ended.
    pub(crate) fn main_outcome(&self) -> Option<&'static str> {
        let has_failed = self.failed() > 0;
        let is_candidate = |index: &usize| {
            let is_fresh = *index == Outcome::Ok.index() || *index == Outcome::Skipped.index();
            self.outcomes[*index] > 0 && !(is_fresh && has_failed)
        };
        let main = (0..OUTCOMES).filter(is_candidate).max_by_key(|index| self.outcomes[*index]);
        main.map(|index| Outcome::VALUES[index])
    }
}

/// Of calls that are counted by outcome those that failed, with the index of their outcome.
pub(crate) fn failed_calls<C: Copy>(outcomes: &[C; OUTCOMES]) -> impl Iterator<Item = (usize, C)> {
    outcomes.iter().copied().enumerate().filter(|(index, _)| Outcome::is_failed_call(*index))
}

/// The differences of counts; `None` if one fell, or a series has other buckets.
pub(crate) fn differences(now: &[u64], then: &[u64]) -> Option<Vec<u64>> {
    if now.len() != then.len() {
        return None;
    }
    now.iter().zip(then).map(|(now, then)| now.checked_sub(*then)).collect()
}

impl HistoryReading {
    /// The selected series.
    pub(crate) fn of(selection: &Selection, at: Stamp) -> Self {
        let own = SeriesList { is_cut: selection.own_left_out > 0, ..SeriesList::default() };
        let mut reading = Self { at, own, placed: selection.placed.clone(), ..Self::default() };
        for family in &selection.snapshot.families {
            reading.read(family);
        }
        reading
    }

    /// Leaves out the series over the limits, so that it may be kept. Those that are `kept` already are the last to go.
    pub(super) fn limited(mut self, most_operations: usize, kept: &KeptSeries<'_>) -> Self {
        self.operations.limit(most_operations, &kept.operations);
        self.subsystems.limit(MOST_SUBSYSTEMS, &kept.subsystems);
        limit(&mut self.utilization, MOST_PROFILES, |labels, _| kept.profiles.contains(labels));
        self.placed = PlacedOrders::new();
        let SeriesList { values: own, is_cut } = &mut self.own;
        let (all, mut words) = (own.len(), 0);
        own.retain(|(_, labels), counts| {
            words += counts.len() + KEY_WORDS;
            words <= MOST_OWN_WORDS && is_short(labels)
        });
        *is_cut |= own.len() < all;
        self
    }

    /// This reading without a bot's own families and the orders, of which steps have none.
    pub(crate) fn of_catalogue(&self) -> Self {
        let (operations, subsystems) = (self.operations.clone(), self.subsystems.clone());
        let utilization = self.utilization.clone();
        Self { at: self.at, operations, subsystems, utilization, ..Self::default() }
    }

    fn read(&mut self, FamilySnapshot { family, samples }: &FamilySnapshot) {
        let is = |other: &Family| family.name == other.name;
        for Sample { labels, value } in samples {
            match value {
                Value::Histogram(histogram) if is(&catalogue::EXCHANGE_API_LATENCY_SECONDS) => {
                    self.operations.of(labels).observe(histogram);
                }
                Value::Histogram(histogram) if is(&catalogue::SUBSYSTEM_DURATION_SECONDS) => {
                    self.subsystems.of(labels).observe(histogram);
                }
                Value::Counter(count) if is(&catalogue::EXCHANGE_API_REQUESTS_TOTAL) => {
                    self.operations.count_outcome(labels, *count);
                }
                Value::Counter(count) if is(&catalogue::SUBSYSTEM_RUNS_TOTAL) => {
                    self.subsystems.count_outcome(labels, *count);
                }
                Value::Gauge(calls) if is(&catalogue::EXCHANGE_API_IN_FLIGHT) => {
                    self.operations.of(labels).in_progress = whole(*calls);
                }
                Value::Gauge(runs) if is(&catalogue::SUBSYSTEM_IN_PROGRESS) => {
                    self.subsystems.of(labels).in_progress = whole(*runs);
                }
                Value::Gauge(percent) if is(&catalogue::PROFILE_UTILIZATION_PERCENT) => {
                    self.utilization.insert(labels.clone(), *percent);
                }
                _ if family.origin == Origin::Custom => {
                    let words = words(value).map(|words| ((family.name, labels.clone()), words));
                    self.own.values.extend(words);
                }
                _ => {}
            }
        }
    }
}

impl CallCounts {
    fn observe(&mut self, histogram: &HistogramValue) {
        self.buckets = histogram.buckets().to_vec();
        self.sum = histogram.sum();
    }
}

/// The counts of a value; `None` for a gauge.
pub(crate) fn words(value: &Value) -> Option<Vec<u64>> {
    match value {
        Value::Counter(count) => Some(vec![*count]),
        Value::FloatCounter(sum) => Some(vec![sum.to_bits()]),
        Value::Histogram(histogram) => Some(histogram.buckets().to_vec()),
        Value::Gauge(_) => None,
    }
}

/// A gauge of things in progress as their number.
fn whole(gauge: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number, and a cast saturates"
    )]
    let number = gauge as u64;
    number
}

/// Leaves out series over the limit, those of the lowest rank first, and those with long labels; returns whether there
/// were any.
fn limit<T, R: Ord>(
    series: &mut BTreeMap<SeriesLabels, T>,
    most: usize,
    rank: impl Fn(&SeriesLabels, &T) -> R,
) -> bool {
    let all = series.len();
    series.retain(|labels, _| is_short(labels));
    let mut ranked: Vec<_> =
        series.iter().map(|(labels, value)| (Reverse(rank(labels, value)), labels)).collect();
    if ranked.len() > most {
        ranked.sort();
        let surplus: Vec<_> = ranked.drain(most..).map(|(_, labels)| labels.clone()).collect();
        for labels in &surplus {
            series.remove(labels);
        }
    }
    series.len() < all
}

/// Whether labels are short enough to be kept.
pub(super) fn is_short(labels: &[Cow<'static, str>]) -> bool {
    labels.iter().map(|label| label.len()).sum::<usize>() <= LONGEST_LABELS
}
