//! What a scrape reads: every value once, by family and labels, before anybody spells it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Totals;
use crate::catalogue::{FAMILIES, Families, Family};
use crate::clock::Scale;

/// The label values of one series, in the order of its family's label names.
type Labels = Vec<Cow<'static, str>>;

/// All families of an instance at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// In the order of the catalogue, then the bot's own by name; a family without series is left out.
    pub families: Vec<FamilySnapshot>,
}

/// One family's series.
#[derive(Clone, Debug)]
pub struct FamilySnapshot {
    /// What the catalogue says of it.
    pub family: &'static Family,
    /// Sorted by label values; no two have the same.
    pub samples: Vec<Sample>,
}

/// One series' value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// In the order of [`Family::labels`]; the default labels are not among them.
    pub labels: Vec<Cow<'static, str>>,
    /// Of the kind that the family has.
    pub value: Value,
}

/// A value, by kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A counter's.
    Counter(u64),
    /// A gauge's.
    Gauge(f64),
    /// A histogram's.
    Histogram(HistogramValue),
}

/// Values sorted into buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramValue {
    buckets: Vec<u64>,
    /// In the unit of the bounds.
    sum: f64,
}

impl HistogramValue {
    pub(crate) fn new(buckets: Vec<u64>, sum: Duration) -> Self {
        Self::of_values(buckets, sum.as_secs_f64())
    }

    /// Values in a unit of their own.
    pub(crate) fn of_values(buckets: Vec<u64>, sum: f64) -> Self {
        Self { buckets, sum }
    }

    /// What was observed of the calls that `totals` counts.
    pub(crate) fn observed(totals: &Totals, scale: Scale) -> Self {
        let buckets = totals.buckets.split_last().map_or(&[][..], |(_not_observed, buckets)| buckets);
        Self::new(buckets.to_vec(), scale.duration(totals.sum))
    }

    /// Observations up to each bound, the last entry being all of them.
    pub fn cumulative(&self) -> impl Iterator<Item = u64> + '_ {
        self.buckets.iter().scan(0, |total, bucket| {
            *total += bucket;
            Some(*total)
        })
    }

    /// All observations; by construction what the last bucket says.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The sum of all observations, in the unit of the bounds: seconds, unless the family is the bot's own.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.sum += other.sum;
    }
}

/// Collects series in any order; what has the same labels is one series.
#[derive(Debug)]
pub(crate) struct SnapshotBuilder {
    families: Families,
    series: BTreeMap<&'static str, FamilySnapshot>,
}

impl SnapshotBuilder {
    pub(crate) fn new(families: Families) -> Self {
        Self { families, series: BTreeMap::new() }
    }

    /// Whether anybody reads what is said of `family`.
    pub(crate) fn includes(&self, family: &Family) -> bool {
        self.families.include(family)
    }

    pub(crate) fn counter(&mut self, family: &'static Family, labels: Labels, value: u64) {
        self.insert(family, labels, Value::Counter(value));
    }

    pub(crate) fn gauge(&mut self, family: &'static Family, labels: Labels, value: f64) {
        self.insert(family, labels, Value::Gauge(value));
    }

    pub(crate) fn histogram(&mut self, family: &'static Family, labels: Labels, value: HistogramValue) {
        self.insert(family, labels, Value::Histogram(value));
    }

    pub(crate) fn finish(mut self) -> Snapshot {
        let known: Vec<_> = FAMILIES.iter().filter_map(|family| self.series.remove(family.name)).collect();
        let families = known
            .into_iter()
            .chain(self.series.into_values())
            .map(|mut family| {
                family.samples = merged(family.samples);
                family
            })
            .collect();
        Snapshot { families }
    }

    fn insert(&mut self, family: &'static Family, labels: Labels, value: Value) {
        debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
        if !self.includes(family) {
            return;
        }
        let standing = self.series.entry(family.name);
        let standing = standing.or_insert_with(|| FamilySnapshot { family, samples: Vec::new() });
        standing.samples.push(Sample { labels, value });
    }
}

/// Sorted by labels, each set once. Most of it comes sorted, which this sort makes use of.
fn merged(mut samples: Vec<Sample>) -> Vec<Sample> {
    samples.sort_by(|a, b| a.labels.cmp(&b.labels));
    samples.dedup_by(|more, standing| {
        let same = more.labels == standing.labels;
        if same {
            merge(&mut standing.value, &more.value);
        }
        same
    });
    samples
}

/// Two slots of one series are one value: the sum.
fn merge(standing: &mut Value, more: &Value) {
    match (standing, more) {
        (Value::Counter(standing), Value::Counter(more)) => *standing += more,
        (Value::Gauge(standing), Value::Gauge(more)) => *standing += more,
        (Value::Histogram(standing), Value::Histogram(more)) => standing.add(more),
        _ => debug_assert!(false, "a family has one kind"),
    }
}

/// A shared text as a label value.
pub(crate) fn shared(text: &Arc<str>) -> Cow<'static, str> {
    Cow::Owned(text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn series_are_sorted_merged_and_in_the_catalogues_order() {
        let mut builder = SnapshotBuilder::new(Families::All);
        builder.gauge(&catalogue::SUBSYSTEM_ALIVE, vec!["trading".into()], 1.0);
        builder.counter(
            &catalogue::OPERATIONAL_EVENTS_TOTAL,
            vec!["B".into(), "".into(), "".into(), "".into()],
            1,
        );
        builder.counter(
            &catalogue::OPERATIONAL_EVENTS_TOTAL,
            vec!["A".into(), "".into(), "".into(), "".into()],
            2,
        );
        builder.counter(
            &catalogue::OPERATIONAL_EVENTS_TOTAL,
            vec!["B".into(), "".into(), "".into(), "".into()],
            3,
        );
        let snapshot = builder.finish();
        assert_eq!(snapshot.families[0].family.name, "operational_events_total");
        assert_eq!(
            snapshot.families[0].samples.iter().map(|sample| &sample.value).collect::<Vec<_>>(),
            [&Value::Counter(2), &Value::Counter(4)]
        );
        assert_eq!(snapshot.families[1].family.name, "subsystem_alive");
    }

    #[test]
    fn seed_only_leaves_the_extensions_out() {
        let mut builder = SnapshotBuilder::new(Families::SeedOnly);
        builder.gauge(&catalogue::SUBSYSTEM_ALIVE, vec!["trading".into()], 1.0);
        builder.gauge(&catalogue::SUBSYSTEM_IN_PROGRESS, vec!["trading".into()], 1.0);
        assert_eq!(builder.finish().families.len(), 1);
    }
}
