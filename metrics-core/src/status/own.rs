//! A bot's own families.

use super::shape::{OwnFamily, OwnSeries};
use super::values::{StatusValues, quantiles};
use crate::catalogue::{Family, Origin, unit};
use crate::history::{differences, words};
use crate::storage::{FamilySnapshot, Sample, Value};

/// The families that have series, by name.
pub(super) fn families(values: &StatusValues<'_>, namespace: &str) -> Vec<OwnFamily> {
    let own = values.snapshot.families.iter().filter(|found| found.family.origin == Origin::Custom);
    let family = |FamilySnapshot { family, samples }: &FamilySnapshot| {
        let name = family.full_name(namespace);
        OwnFamily {
            help: family.help.to_owned(),
            kind: family.kind.as_str().to_owned(),
            unit: unit(family.name.trim_end_matches("_total")).unwrap_or_default().to_owned(),
            series: samples.iter().map(|sample| series(family, sample, values)).collect(),
            name,
        }
    };
    own.map(family).collect()
}

fn series(family: &Family, sample: &Sample, values: &StatusValues<'_>) -> OwnSeries {
    let names = family.labels.iter().map(ToString::to_string);
    let labels = names.zip(sample.labels.iter().map(ToString::to_string)).collect();
    let grown = grown(family, sample, values);
    let (value, count, quantiles) = match &sample.value {
        #[expect(clippy::cast_precision_loss, reason = "shown, not computed with")]
        Value::Counter(count) => (Some(*count as f64), None, None),
        Value::FloatCounter(value) | Value::Gauge(value) => (Some(*value), None, None),
        Value::Histogram(histogram) => {
            let quantiles = grown.as_ref().and_then(|grown| quantiles(&grown.buckets, family.buckets));
            (None, Some(histogram.count()), quantiles)
        }
    };
    let rate = grown.and_then(|grown| values.rate(grown.total)).filter(|rate| rate.is_finite());
    OwnSeries { labels, value, count, rate, quantiles }
}

/// What a series has counted in the window.
struct Grown {
    total: f64,
    /// By bucket; empty unless it is a histogram.
    buckets: Vec<u64>,
}

/// `None` for a gauge, and for a series of which it is not known.
fn grown(family: &Family, sample: &Sample, values: &StatusValues<'_>) -> Option<Grown> {
    let begin = values.begin?;
    let now = words(&sample.value)?;
    let key = (family.name, sample.labels.clone());
    let then = match begin.own.values.get(&key) {
        Some(then) => then.clone(),
        None if begin.own.may_lack(&key) => return None,
        None => vec![0; now.len()],
    };
    if let Value::FloatCounter(value) = sample.value {
        let total = value - f64::from_bits(then.first().copied()?);
        return (total >= 0.0).then(|| Grown { total, buckets: Vec::new() });
    }
    let grown = differences(&now, &then)?;
    #[expect(clippy::cast_precision_loss, reason = "a rate has three digits")]
    let total = grown.iter().sum::<u64>() as f64;
    Some(Grown { total, buckets: grown })
}
