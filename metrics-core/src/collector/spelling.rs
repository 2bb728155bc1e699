//! A foreign family in the text format, if it can be exported at all.
//!
//! The encoder of the crate `prometheus` checks nothing, and one bad line costs the whole scrape.

use std::collections::HashSet;

use prometheus::TextEncoder;
use prometheus::proto::{self, MetricType};

use super::failure::Failure;
use crate::catalogue::Kind;

/// One foreign family, spelled.
#[derive(Debug)]
pub(crate) struct ForeignFamily {
    pub(super) name: String,
    /// The names of its samples, suffixes included, and its own: none of them may come twice.
    pub(super) sample_names: Vec<String>,
    pub(crate) text: String,
}

pub(super) fn spell(family: &proto::MetricFamily) -> Result<ForeignFamily, Failure> {
    if !is_exportable(family) {
        return Err(Failure::Invalid);
    }
    let text =
        TextEncoder::new().encode_to_string(std::slice::from_ref(family)).map_err(|_| Failure::Invalid)?;
    let name = family.name().to_owned();
    let sample_names = sample_names(&name, suffixes(family.get_field_type()));
    Ok(ForeignFamily { name, sample_names, text })
}

/// The names of a family's samples, suffixes included, and its own.
pub(super) fn sample_names(name: &str, suffixes: &[&str]) -> Vec<String> {
    suffixes.iter().chain(&[""]).map(|suffix| format!("{name}{suffix}")).collect()
}

/// What a family of our own appends to its name.
pub(super) fn own_suffixes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Counter | Kind::Gauge => &[],
        Kind::Histogram => &["_bucket", "_sum", "_count"],
    }
}

fn suffixes(kind: MetricType) -> &'static [&'static str] {
    match kind {
        MetricType::HISTOGRAM => own_suffixes(Kind::Histogram),
        MetricType::SUMMARY => &["_sum", "_count"],
        MetricType::COUNTER | MetricType::GAUGE | MetricType::UNTYPED => &[],
    }
}

fn is_exportable(family: &proto::MetricFamily) -> bool {
    let reserved = match family.get_field_type() {
        MetricType::HISTOGRAM => "le",
        MetricType::SUMMARY => "quantile",
        MetricType::COUNTER | MetricType::GAUGE => "",
        // The encoder panics on it.
        MetricType::UNTYPED => return false,
    };
    let mut seen = HashSet::new();
    is_name(family.name(), true)
        && family.get_metric().iter().all(|metric| {
            let mut labels: Vec<_> =
                metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
            labels.sort_unstable();
            labels
                .iter()
                .all(|(name, _)| is_name(name, false) && !name.starts_with("__") && *name != reserved)
                && labels.windows(2).all(|pair| pair[0].0 != pair[1].0)
                && seen.insert(labels)
        })
}

fn is_name(name: &str, colons: bool) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || (colons && b == b':');
    !name.is_empty() && name.bytes().all(legal) && !name.as_bytes()[0].is_ascii_digit()
}
