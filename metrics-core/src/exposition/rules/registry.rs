//! Checks whether a family from foreign code may be served.
//!
//! Prometheus rejects a whole scrape for one bad line, and silently accepts nonsense: falling buckets, a duplicate
//! series, a negative counter. So a family is served completely or not at all, and the reason is reported with its
//! name.

use std::borrow::Cow;
use std::collections::HashSet;

use prometheus::proto::{self, MetricType};

use super::description::{BoundedValue, FamilyDescription, SeriesDescription, Style};
use super::family::{SeriesLabels, check_family};
use super::fault::Fault;
use crate::exposition::crate_models::{counter_value, gauge_value};

/// Checks a family on its own, and returns the labels of its series. `now_ms` is the Unix time in milliseconds.
pub(crate) fn check(
    family: &proto::MetricFamily,
    now_ms: i64,
) -> Result<HashSet<SeriesLabels<'static>>, Fault> {
    let mut first = None;
    let description = describe(family)?;
    let labels = check_family(&description, now_ms, &mut |_, fault| {
        first.get_or_insert(fault);
    });
    let owned = |labels: SeriesLabels<'_>| {
        labels
            .into_iter()
            .map(|(name, value)| (name.into_owned().into(), value.into_owned().into()))
            .collect()
    };
    first.map_or_else(|| Ok(labels.into_iter().map(owned).collect()), Err)
}

fn describe(family: &proto::MetricFamily) -> Result<FamilyDescription<'_>, Fault> {
    let kind = family.get_field_type();
    if kind == MetricType::UNTYPED {
        return Err(Fault::Type);
    }
    let series = family.get_metric().iter().map(|metric| describe_series(kind, metric));
    Ok(FamilyDescription {
        style: Style::Messages,
        name: family.name().into(),
        family_type: kind.into(),
        series: series.collect::<Result<_, _>>()?,
    })
}

fn describe_series(kind: MetricType, metric: &proto::Metric) -> Result<SeriesDescription<'_>, Fault> {
    if has_value_of_other_type(kind, metric) {
        return Err(Fault::ValueOfOtherType);
    }
    let labels = metric.get_label().iter().map(|pair| (pair.name().into(), pair.value().into()));
    let mut series = SeriesDescription {
        labels: labels.collect(),
        timestamp_ms: Some(metric.timestamp_ms()),
        ..SeriesDescription::default()
    };
    match kind {
        MetricType::COUNTER => series.value = Some(counter_value(metric)),
        MetricType::GAUGE => series.value = Some(gauge_value(metric)),
        MetricType::HISTOGRAM => {
            let histogram = metric.get_histogram();
            series.count = Some(histogram.get_sample_count());
            series.sum = Some(histogram.get_sample_sum());
            let buckets = histogram.get_bucket().iter();
            series.buckets =
                buckets.map(|bucket| bounded(bucket.upper_bound(), bucket.cumulative_count())).collect();
        }
        MetricType::SUMMARY => {
            let summary = metric.get_summary();
            series.count = Some(summary.sample_count());
            series.sum = Some(summary.sample_sum());
            let quantiles = summary.get_quantile().iter();
            series.quantiles =
                quantiles.map(|quantile| bounded(quantile.quantile(), quantile.value())).collect();
        }
        MetricType::UNTYPED => {}
    }
    Ok(series)
}

fn bounded<'a, T>(bound: f64, value: T) -> BoundedValue<'a, T> {
    BoundedValue { bound, spelled: Cow::Borrowed(""), value }
}

/// A value of 0 is indistinguishable from an absent one, so only a value of another type shows that the right one is
/// absent.
fn has_value_of_other_type(kind: MetricType, metric: &proto::Metric) -> bool {
    let (histogram, summary) = (metric.get_histogram(), metric.get_summary());
    let (buckets, quantiles) = (histogram.get_bucket(), summary.get_quantile());
    let counts = (histogram.get_sample_count(), summary.sample_count());
    let sums = (histogram.get_sample_sum(), summary.sample_sum());
    let types = [
        (MetricType::COUNTER, counter_value(metric) != 0.0),
        (MetricType::GAUGE, gauge_value(metric) != 0.0),
        (MetricType::HISTOGRAM, !buckets.is_empty() || counts.0 != 0 || sums.0 != 0.0),
        (MetricType::SUMMARY, !quantiles.is_empty() || counts.1 != 0 || sums.1 != 0.0),
    ];
    let has = |wanted: bool| types.iter().any(|&(of, is_set)| is_set && (of == kind) == wanted);
    has(false) && !has(true)
}
