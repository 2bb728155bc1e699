//! The types of families, and the names of their samples.

use prometheus::proto::MetricType;

use crate::catalogue::{Kind, TARGET_INFO};

/// The type of a family.
///
/// The last three exist in OpenMetrics and, the first of them, in protobuf; they are read, but not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FamilyType {
    Counter,
    Gauge,
    Histogram,
    Summary,
    Untyped,
    GaugeHistogram,
    Info,
    StateSet,
}

impl FamilyType {
    pub(crate) const ALL: [Self; 8] = [
        Self::Counter,
        Self::Gauge,
        Self::Histogram,
        Self::Summary,
        Self::Untyped,
        Self::GaugeHistogram,
        Self::Info,
        Self::StateSet,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Info => "info",
            Self::StateSet => "stateset",
        }
    }

    /// Its word in OpenMetrics.
    pub(crate) fn openmetrics_word(self) -> &'static str {
        if self == Self::Untyped { "unknown" } else { self.as_str() }
    }

    /// The suffixes of its samples in addition to, or instead of, the name of the family.
    pub(crate) fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Histogram => Kind::Histogram.suffixes(),
            Self::Summary => &["_sum", "_count"],
            Self::GaugeHistogram => &["_bucket", "_gsum", "_gcount"],
            Self::Info => &["_info"],
            Self::Counter | Self::Gauge | Self::Untyped | Self::StateSet => &[],
        }
    }

    /// All names that a family takes in the text format, so that no other may have them: its own, and those of its
    /// samples.
    pub(crate) fn names(self, family: &str) -> Vec<String> {
        self.suffixes().iter().chain(&[""]).map(|suffix| format!("{family}{suffix}")).collect()
    }

    /// All names that a family takes in OpenMetrics. A counter may be given with or without `_total`.
    pub(crate) fn openmetrics_names(self, family: &str) -> Vec<String> {
        let (stem, suffixes) = match self {
            Self::Counter => (counter_stem(family), &["_total", "_created"][..]),
            Self::Histogram | Self::Summary => (family, &["_created"][..]),
            _ => (family, &[][..]),
        };
        let mut names = self.names(stem);
        names.extend(suffixes.iter().map(|suffix| format!("{stem}{suffix}")));
        names
    }
}

/// The name and type of one of the families that are written, in OpenMetrics: a counter loses its `_total`, and
/// [`TARGET_INFO`] is an info instead of a gauge, whose samples alone have `_info`.
pub(crate) fn openmetrics_family(name: &str, family_type: FamilyType) -> (&str, FamilyType) {
    match (family_type, name.strip_suffix("_info")) {
        (FamilyType::Counter, _) => (counter_stem(name), family_type),
        (FamilyType::Gauge, Some(stem)) if name == TARGET_INFO.name => (stem, FamilyType::Info),
        _ => (name, family_type),
    }
}

/// All names that one of the families that are written takes in OpenMetrics.
pub(crate) fn written_names(name: &str, family_type: FamilyType) -> Vec<String> {
    // Those of `a_total_total` are `a_total`, `a_total_total` and `a_total_created`.
    if family_type == FamilyType::Counter {
        return family_type.openmetrics_names(name);
    }
    let (stem, family_type) = openmetrics_family(name, family_type);
    family_type.openmetrics_names(stem)
}

/// The name of a counter without the suffix that only its samples have in OpenMetrics.
pub(crate) fn counter_stem(counter: &str) -> &str {
    counter.strip_suffix("_total").filter(|stem| !stem.is_empty()).unwrap_or(counter)
}

impl From<Kind> for FamilyType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter,
            Kind::Gauge => Self::Gauge,
            Kind::Histogram => Self::Histogram,
        }
    }
}

impl From<MetricType> for FamilyType {
    fn from(metric_type: MetricType) -> Self {
        match metric_type {
            MetricType::COUNTER => Self::Counter,
            MetricType::GAUGE => Self::Gauge,
            MetricType::HISTOGRAM => Self::Histogram,
            MetricType::SUMMARY => Self::Summary,
            MetricType::UNTYPED => Self::Untyped,
        }
    }
}
