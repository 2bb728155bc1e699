//! Checks whether a family from foreign code may be served.
//!
//! Prometheus rejects a whole scrape for one bad line, and silently accepts nonsense: falling buckets, a duplicate
//! series, a negative counter. So a family is served completely or not at all, and the reason is reported with its
//! name.

use std::collections::HashSet;
use std::fmt;

use prometheus::proto::{self, MetricType};

use crate::shown::{quoted, shown};

/// How far ahead of the clock a sample's own time may be, in milliseconds: Prometheus drops later ones.
const FURTHEST_AHEAD_MS: i64 = 10 * 60 * 1_000;

/// The labels of one series, sorted and without empty ones, which Prometheus treats as absent.
pub(super) type SeriesLabels = Vec<(String, String)>;

/// The reason why a family is not served.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    Name,
    ReservedName,
    Type,
    ValueOfOtherType,
    Label(String),
    ReservedLabel(String),
    LabelTwice(String),
    SeriesTwice,
    Counter(f64),
    Bound(f64),
    BoundsOrder,
    BucketsFall,
    Count,
    Quantile(f64),
    QuantileTwice(f64),
    Timestamp(i64),
    /// One of the library's families, or one of its samples, has this name.
    Ours(String),
    /// An earlier family has a sample of this name.
    Taken(String),
    /// The part of the family that is already served has another type.
    OtherType,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("its name is not one: letters, digits, _ and :, no digit in front"),
            Self::ReservedName => f.write_str("Prometheus writes series of this name itself"),
            Self::Type => f.write_str("it is no counter, gauge, histogram or summary"),
            Self::ValueOfOtherType => f.write_str("a series has a value of another type than its family"),
            Self::Label(name) => {
                write!(f, "{} is no label name: letters, digits and _, no digit in front", quoted(name))
            }
            Self::ReservedLabel(name) => write!(f, "the label {} is reserved", quoted(name)),
            Self::LabelTwice(name) => write!(f, "a series has the label {} twice", quoted(name)),
            Self::SeriesTwice => f.write_str("two series have the same labels"),
            Self::Counter(value) => write!(f, "a counter is {value}; it has to be a number of at least 0"),
            Self::Bound(bound) => write!(f, "a bucket has the bound {bound}"),
            Self::BoundsOrder => f.write_str("the bounds of a histogram do not rise"),
            Self::BucketsFall => f.write_str("the cumulative counts of a histogram fall"),
            Self::Count => f.write_str("the count of a histogram is not that of its last bucket"),
            Self::Quantile(quantile) => write!(f, "a summary has the quantile {quantile}; allowed: 0 to 1"),
            Self::QuantileTwice(quantile) => write!(f, "a summary has the quantile {quantile} twice"),
            Self::Timestamp(ms) => {
                write!(f, "a sample has the time {ms} ms; allowed: from 0 to ten minutes ahead of the clock")
            }
            Self::Ours(name) => write!(f, "{} is a metric of bot-metrics itself", shown(name)),
            Self::Taken(name) => write!(f, "another family has samples named {}", shown(name)),
            Self::OtherType => f.write_str("another part of it is of another type"),
        }
    }
}

/// Checks a family on its own. `now_ms` is the Unix time in milliseconds.
pub(super) fn check(family: &proto::MetricFamily, now_ms: i64) -> Result<HashSet<SeriesLabels>, Fault> {
    check_name(family.name())?;
    let kind = family.get_field_type();
    let mut series = HashSet::new();
    for metric in family.get_metric() {
        let labels = check_labels(metric, reserved_label(kind)?)?;
        if !series.insert(labels) {
            return Err(Fault::SeriesTwice);
        }
        check_timestamp(metric.timestamp_ms(), now_ms)?;
        check_value(kind, metric)?;
    }
    Ok(series)
}

/// Checks whether a family may have this name.
pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    if !is_name(name, true) {
        Err(Fault::Name)
    } else if name == "up" || name.starts_with("scrape_") {
        Err(Fault::ReservedName)
    } else {
        Ok(())
    }
}

/// The label that the samples of a type have in addition to those of their series.
fn reserved_label(kind: MetricType) -> Result<Option<&'static str>, Fault> {
    match kind {
        MetricType::COUNTER | MetricType::GAUGE => Ok(None),
        MetricType::HISTOGRAM => Ok(Some("le")),
        MetricType::SUMMARY => Ok(Some("quantile")),
        MetricType::UNTYPED => Err(Fault::Type),
    }
}

fn check_labels(metric: &proto::Metric, reserved: Option<&str>) -> Result<SeriesLabels, Fault> {
    let mut labels: SeriesLabels =
        metric.get_label().iter().map(|pair| (pair.name().to_owned(), pair.value().to_owned())).collect();
    labels.sort_unstable();
    for (name, _) in &labels {
        if !is_name(name, false) {
            return Err(Fault::Label(name.clone()));
        }
        if name.starts_with("__") || reserved == Some(name) {
            return Err(Fault::ReservedLabel(name.clone()));
        }
    }
    if let Some(pair) = labels.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Fault::LabelTwice(pair[0].0.clone()));
    }
    labels.retain(|(_, value)| !value.is_empty());
    Ok(labels)
}

fn check_timestamp(timestamp_ms: i64, now_ms: i64) -> Result<(), Fault> {
    let allowed = 0..=now_ms.saturating_add(FURTHEST_AHEAD_MS);
    if allowed.contains(&timestamp_ms) { Ok(()) } else { Err(Fault::Timestamp(timestamp_ms)) }
}

fn check_value(kind: MetricType, metric: &proto::Metric) -> Result<(), Fault> {
    let none = proto::Metric::default();
    let types = [
        (MetricType::COUNTER, metric.get_counter() != none.get_counter()),
        (MetricType::GAUGE, metric.get_gauge() != none.get_gauge()),
        (MetricType::HISTOGRAM, metric.get_histogram() != none.get_histogram()),
        (MetricType::SUMMARY, metric.get_summary() != none.get_summary()),
    ];
    // A value of 0 is indistinguishable from an absent one, so only a value of another type shows that the right one
    // is absent.
    let has = |wanted: bool| types.iter().any(|&(of, is_set)| is_set && (of == kind) == wanted);
    if has(false) && !has(true) {
        return Err(Fault::ValueOfOtherType);
    }
    match kind {
        MetricType::COUNTER => check_counter(metric.get_counter().get_value()),
        MetricType::HISTOGRAM => check_histogram(metric.get_histogram()),
        MetricType::SUMMARY => check_summary(metric.get_summary()),
        MetricType::GAUGE | MetricType::UNTYPED => Ok(()),
    }
}

fn check_counter(value: f64) -> Result<(), Fault> {
    if value >= 0.0 && value.is_finite() { Ok(()) } else { Err(Fault::Counter(value)) }
}

fn check_histogram(histogram: &proto::Histogram) -> Result<(), Fault> {
    let buckets = histogram.get_bucket();
    if let Some(bucket) = buckets.iter().find(|bucket| bucket.upper_bound().is_nan()) {
        return Err(Fault::Bound(bucket.upper_bound()));
    }
    if buckets.windows(2).any(|pair| pair[0].upper_bound() >= pair[1].upper_bound()) {
        return Err(Fault::BoundsOrder);
    }
    if buckets.windows(2).any(|pair| pair[0].cumulative_count() > pair[1].cumulative_count()) {
        return Err(Fault::BucketsFall);
    }
    let count = histogram.get_sample_count();
    match buckets.last() {
        Some(last) if last.upper_bound() == f64::INFINITY && last.cumulative_count() != count => {
            Err(Fault::Count)
        }
        Some(last) if last.cumulative_count() > count => Err(Fault::Count),
        _ => Ok(()),
    }
}

fn check_summary(summary: &proto::Summary) -> Result<(), Fault> {
    let mut quantiles: Vec<f64> = summary.get_quantile().iter().map(proto::Quantile::quantile).collect();
    if let Some(&wrong) = quantiles.iter().find(|quantile| !(0.0..=1.0).contains(*quantile)) {
        return Err(Fault::Quantile(wrong));
    }
    quantiles.sort_by(f64::total_cmp);
    // Not compared by their bits, because 0 and -0 are the same quantile.
    match quantiles.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Fault::QuantileTwice(pair[0])),
        None => Ok(()),
    }
}

fn is_name(name: &str, colons: bool) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || (colons && b == b':');
    !name.is_empty() && name.bytes().all(legal) && !name.as_bytes()[0].is_ascii_digit()
}
