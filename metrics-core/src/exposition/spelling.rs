//! The interface between the order of an exposition and its format.

use std::time::Duration;

use prometheus::proto::{self, MetricType};

use super::foreign_family::ForeignFamily;
use super::naming::Naming;
use crate::catalogue::{Family, Kind};
use crate::storage::Reading;

/// Spells an exposition in one format.
pub(crate) trait Spelling {
    /// Begins one of the library's families, or of the bot's own.
    fn own(&self, out: &mut Vec<u8>, naming: &Naming, family: &'static Family) -> Box<dyn FamilySpelling>;

    /// Begins a foreign family.
    fn foreign(&self, out: &mut Vec<u8>, family: &ForeignFamily) -> Box<dyn FamilySpelling>;

    /// All names that a family of this name and type takes, so that no other may have them: its own, and those of its
    /// samples.
    fn names(&self, name: &str, family_type: FamilyType) -> Vec<String>;

    /// A line for people, where the format allows one.
    fn comment(&self, _out: &mut Vec<u8>, _text: &str) {}

    /// Ends the exposition.
    fn end(&self, _out: &mut Vec<u8>) {}
}

/// Spells the series of one family, with everything in it that they have in common.
pub(crate) trait FamilySpelling {
    /// A series of one of the library's families, or of the bot's own, with the Unix time at which its counts began.
    fn series(&mut self, out: &mut Vec<u8>, labels: &[&str], created: Option<Duration>, value: Reading<'_>);

    /// A series of a foreign family.
    fn foreign(&mut self, out: &mut Vec<u8>, metric: &proto::Metric);

    /// Ends the family.
    fn end(&mut self, _out: &mut Vec<u8>) {}
}

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FamilyType {
    Counter,
    Gauge,
    Histogram,
    Summary,
    Untyped,
}

impl FamilyType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }

    /// The suffixes of its samples in addition to, or instead of, the name of the family.
    pub(super) fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Histogram => Kind::Histogram.suffixes(),
            Self::Summary => &["_sum", "_count"],
            Self::Counter | Self::Gauge | Self::Untyped => &[],
        }
    }
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
