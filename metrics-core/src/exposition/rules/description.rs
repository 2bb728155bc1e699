//! The description of a family that every format and the crate `prometheus` are read into.

use std::borrow::Cow;

use crate::exposition::family_type::FamilyType;
use crate::shown::quoted;

/// The format that a description was read from, as far as the rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Text,
    OpenMetrics,
    /// Of messages, in which nothing is missing and the bucket for +Inf is optional.
    Messages,
}

/// A family and its series.
#[derive(Clone, Debug)]
pub(crate) struct FamilyDescription<'a> {
    pub(crate) style: Style,
    pub(crate) name: Cow<'a, str>,
    pub(crate) family_type: FamilyType,
    pub(crate) series: Vec<SeriesDescription<'a>>,
}

/// A name and a value.
pub(crate) type LabelDescription<'a> = (Cow<'a, str>, Cow<'a, str>);

/// A series. Those of counters and gauges have a value, those of histograms and summaries the other parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeriesDescription<'a> {
    /// The line or message that begins it.
    pub(crate) position: usize,
    /// Without those of buckets and quantiles.
    pub(crate) labels: Vec<LabelDescription<'a>>,
    pub(crate) value: Option<f64>,
    pub(crate) buckets: Vec<BoundedValue<'a, u64>>,
    pub(crate) quantiles: Vec<BoundedValue<'a, f64>>,
    pub(crate) sum: Option<f64>,
    pub(crate) count: Option<u64>,
    /// In seconds of Unix time.
    pub(crate) created: Option<f64>,
    pub(crate) timestamp_ms: Option<i64>,
}

/// The cumulative count of a bucket, or the value of a quantile.
#[derive(Clone, Debug)]
pub(crate) struct BoundedValue<'a, T> {
    pub(crate) bound: f64,
    /// The text of the bound, in pages.
    pub(crate) spelled: Cow<'a, str>,
    pub(crate) value: T,
}

/// Labels as in PromQL; a value of more than 200 bytes is cut.
pub(crate) fn in_braces<N: AsRef<str>, V: AsRef<str>>(labels: impl IntoIterator<Item = (N, V)>) -> String {
    let label = |(name, value): (N, V)| format!("{}={}", name.as_ref(), quoted(value.as_ref()));
    let labels: Vec<_> = labels.into_iter().map(label).collect();
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}
