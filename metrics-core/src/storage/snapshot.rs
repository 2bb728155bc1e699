//! The result of reading all metrics: every value once, by family and labels, before encoding.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Reading, Sink};
use crate::catalogue::{FAMILIES, Families, Family};

/// All families of an instance at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// In the order of the catalogue, then the bot's own by name; families without series are left out.
    pub families: Vec<FamilySnapshot>,
}

/// One family's series.
#[derive(Clone, Debug)]
pub struct FamilySnapshot {
    /// The family's entry in the catalogue.
    pub family: &'static Family,
    /// Sorted by label values, which are unique.
    pub samples: Vec<Sample>,
}

/// One series' value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// In the order of [`Family::labels`], without the default labels.
    pub labels: Vec<Cow<'static, str>>,
    /// Of the family's kind.
    pub value: Value,
}

/// A value, by kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The value of a counter.
    Counter(u64),
    /// The value of a counter of seconds, fees or another quantity that is not a whole number.
    FloatCounter(f64),
    /// The value of a gauge.
    Gauge(f64),
    /// The value of a histogram.
    Histogram(HistogramValue),
}

/// The value of a histogram: counts by bucket, and the sum.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramValue {
    buckets: Vec<u64>,
    /// In the unit of the bounds.
    sum: f64,
}

impl HistogramValue {
    /// The number of observations up to each bound; the last entry counts all observations.
    pub fn cumulative(&self) -> impl Iterator<Item = u64> + '_ {
        self.buckets.iter().scan(0, |total, bucket| {
            *total = bucket.saturating_add(*total);
            Some(*total)
        })
    }

    /// The number of observations, which by construction equals the last cumulative bucket.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.cumulative().last().unwrap_or(0)
    }

    /// The sum of all observations, in the unit of the bounds: seconds, except in a bot's own families.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The number of observations by bucket, the last one for values above all bounds.
    #[cfg(feature = "page")]
    pub(crate) fn buckets(&self) -> &[u64] {
        &self.buckets
    }
}

/// Collects series in any order, each label set once.
#[derive(Debug)]
pub(crate) struct SnapshotBuilder {
    families: Families,
    series: BTreeMap<&'static str, FamilySnapshot>,
}

impl SnapshotBuilder {
    pub(crate) fn new(families: Families) -> Self {
        Self { families, series: BTreeMap::new() }
    }

    pub(crate) fn finish(mut self) -> Snapshot {
        let mut families: Vec<_> =
            FAMILIES.iter().filter_map(|family| self.series.remove(family.name)).collect();
        families.extend(self.series.into_values());
        for FamilySnapshot { samples, .. } in &mut families {
            samples.sort_by(|one, other| one.labels.cmp(&other.labels));
            debug_assert!(
                samples.is_sorted_by(|one, next| one.labels < next.labels),
                "one series is there twice"
            );
        }
        Snapshot { families }
    }
}

impl Sink for SnapshotBuilder {
    fn includes(&self, family: &Family) -> bool {
        self.families.include(family)
    }

    fn sample(&mut self, family: &'static Family, labels: &[&str], value: Reading<'_>) {
        debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
        if !self.includes(family) {
            return;
        }
        let standing = self.series.entry(family.name);
        let standing = standing.or_insert_with(|| FamilySnapshot { family, samples: Vec::new() });
        let labels = labels.iter().map(|label| Cow::Owned((*label).to_owned())).collect();
        standing.samples.push(Sample { labels, value: value.into() });
    }
}

impl From<Reading<'_>> for Value {
    fn from(reading: Reading<'_>) -> Self {
        match reading {
            Reading::Counter(value) => Self::Counter(value),
            Reading::FloatCounter(value) => Self::FloatCounter(value),
            Reading::Gauge(value) => Self::Gauge(value),
            Reading::Histogram { buckets, sum } => {
                Self::Histogram(HistogramValue { buckets: buckets.to_vec(), sum })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn series_are_sorted_and_in_the_catalogues_order() {
        let mut builder = SnapshotBuilder::new(Families::All);
        let sink: &mut dyn Sink = &mut builder;
        sink.gauge(&catalogue::SUBSYSTEM_ALIVE, &["trading"], 1.0);
        sink.counter(&catalogue::OPERATIONAL_EVENTS_TOTAL, &["B", "", "", ""], 1);
        sink.counter(&catalogue::OPERATIONAL_EVENTS_TOTAL, &["A", "", "", ""], 2);
        let snapshot = builder.finish();
        assert_eq!(snapshot.families[0].family.name, "operational_events_total");
        assert_eq!(
            snapshot.families[0].samples.iter().map(|sample| &sample.value).collect::<Vec<_>>(),
            [&Value::Counter(2), &Value::Counter(1)]
        );
        assert_eq!(snapshot.families[1].family.name, "subsystem_alive");
    }

    #[test]
    fn seed_only_leaves_out_the_extensions() {
        let mut builder = SnapshotBuilder::new(Families::CoreOnly);
        let sink: &mut dyn Sink = &mut builder;
        sink.gauge(&catalogue::SUBSYSTEM_ALIVE, &["trading"], 1.0);
        sink.gauge(&catalogue::SUBSYSTEM_IN_PROGRESS, &["trading"], 1.0);
        assert_eq!(builder.finish().families.len(), 1);
    }
}
