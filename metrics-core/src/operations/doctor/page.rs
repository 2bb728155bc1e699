//! The families of a page, with the names that Prometheus stores.

use std::collections::BTreeMap;

use crate::conformance::{self, Finding, Format};
use crate::exposition::family_type::FamilyType;
use crate::exposition::rules::description::{FamilyDescription, SeriesDescription, Style, in_braces};

/// A page by the names of its families, in which a counter has its `_total`.
pub(super) struct ScrapedPage {
    pub(super) families: BTreeMap<String, PageFamily>,
}

pub(super) struct PageFamily {
    pub(super) family_type: FamilyType,
    pub(super) series: Vec<PageSeries>,
}

pub(super) struct PageSeries {
    pub(super) labels: BTreeMap<String, String>,
    /// The value, or of a histogram the number of observations.
    pub(super) value: f64,
    /// The bounds of the buckets, without `+Inf`.
    pub(super) bounds: Vec<f64>,
    pub(super) timestamp_ms: Option<i64>,
}

impl ScrapedPage {
    /// Reads a page, and checks it against the rules of its format.
    pub(super) fn read(page: &[u8], format: Format) -> (Self, Vec<Finding>) {
        let mut families: BTreeMap<String, PageFamily> = BTreeMap::new();
        let findings = conformance::read(page, format, &mut |family| {
            let (name, family_type) = stored(family);
            let series = family.series.iter().map(PageSeries::of);
            let known = families.entry(name).or_insert(PageFamily { family_type, series: Vec::new() });
            known.series.extend(series);
        });
        (Self { families }, findings)
    }

    pub(super) fn series(&self, family: &str) -> &[PageSeries] {
        self.families.get(family).map_or(&[], |family| &family.series)
    }

    /// The value of the only series of a family.
    pub(super) fn value(&self, family: &str) -> Option<f64> {
        self.series(family).first().map(|series| series.value)
    }
}

/// The name and type in the text format. OpenMetrics names a counter without `_total`, and an info without `_info`.
fn stored(family: &FamilyDescription<'_>) -> (String, FamilyType) {
    let name = &family.name;
    match (family.style, family.family_type) {
        (Style::OpenMetrics, FamilyType::Counter) => (format!("{name}_total"), FamilyType::Counter),
        (Style::OpenMetrics, FamilyType::Info) => (format!("{name}_info"), FamilyType::Gauge),
        (_, family_type) => (name.clone().into_owned(), family_type),
    }
}

impl PageSeries {
    fn of(series: &SeriesDescription<'_>) -> Self {
        let labels = series.labels.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        #[expect(clippy::cast_precision_loss, reason = "only compared with 0")]
        let count = series.count.map(|count| count as f64);
        let bounds = series.buckets.iter().map(|bucket| bucket.bound).filter(|bound| bound.is_finite());
        Self {
            labels: labels.collect(),
            value: series.value.or(count).unwrap_or_default(),
            bounds: bounds.collect(),
            timestamp_ms: series.timestamp_ms,
        }
    }

    pub(super) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// The series of this family as in PromQL.
    pub(super) fn shown(&self, family: &str) -> String {
        format!("{family}{}", in_braces(&self.labels))
    }
}
