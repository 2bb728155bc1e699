//! The samples of a family as a text format has them.

use crate::exposition::family_type::FamilyType;
use crate::exposition::rules::description::{BoundedValue, FamilyDescription, SeriesDescription, Style};

/// A sample of a series.
#[derive(Debug)]
pub(crate) struct SampleDescription<'s> {
    pub(crate) suffix: &'static str,
    /// The label with the bound of a bucket or quantile.
    pub(crate) bound: Option<(&'static str, &'s str)>,
    pub(crate) value: f64,
}

/// Every sample of a series.
pub(crate) fn samples<'s>(
    family: &FamilyDescription<'_>,
    series: &'s SeriesDescription<'_>,
) -> Vec<SampleDescription<'s>> {
    let is_gauge = family.family_type == FamilyType::GaugeHistogram;
    let is_openmetrics = family.style == Style::OpenMetrics;
    let suffix = match family.family_type {
        FamilyType::Counter if is_openmetrics => "_total",
        FamilyType::Info => "_info",
        _ => "",
    };
    let plain = |suffix: &'static str, value: Option<f64>| {
        value.map(|value| SampleDescription { suffix, bound: None, value })
    };
    let bucket = |bucket: &'s BoundedValue<'_, u64>| SampleDescription {
        suffix: "_bucket",
        bound: Some(("le", &bucket.spelled)),
        value: float(bucket.value),
    };
    let quantile = |quantile: &'s BoundedValue<'_, f64>| SampleDescription {
        suffix: "",
        bound: Some(("quantile", &quantile.spelled)),
        value: quantile.value,
    };
    plain(suffix, series.value)
        .into_iter()
        .chain(series.buckets.iter().map(bucket))
        .chain(series.quantiles.iter().map(quantile))
        .chain(plain(if is_gauge { "_gsum" } else { "_sum" }, series.sum))
        .chain(plain(if is_gauge { "_gcount" } else { "_count" }, series.count.map(float)))
        .chain(plain("_created", series.created.filter(|_| is_openmetrics)))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "the value of a sample is a float")]
fn float(count: u64) -> f64 {
    count as f64
}
