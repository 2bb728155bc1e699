//! The properties of a metric family.

use super::TARGET_INFO;

/// The kind of a family's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "linked-catalogue",
    derive(serde::Deserialize, serde::Serialize),
    serde(rename_all = "lowercase")
)]
pub enum Kind {
    /// A count that only grows while the process lives.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// Observations in cumulative buckets, with their sum and count.
    Histogram,
}

impl Kind {
    /// The type in the text format's `# TYPE` line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }

    /// The suffixes of the samples of a family of this kind; empty if samples have the name itself.
    pub(crate) fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter | Self::Gauge => &[],
            Self::Histogram => &["_bucket", "_sum", "_count"],
        }
    }
}

/// How large a part of the observations is to lie at or below a bucket's bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// A bound of the histogram's buckets.
    pub threshold: f64,
    /// Above 0 and below 1: 0.99 for 99 %.
    pub ratio: f64,
}

/// The origin of a family: contract or extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "linked-catalogue",
    derive(serde::Deserialize, serde::Serialize),
    serde(rename_all = "lowercase")
)]
pub enum Origin {
    /// One of the nine core families whose names, labels and buckets never change; always exported.
    Core,
    /// Declared by the bot itself with [`metrics!`](crate::metrics).
    Custom,
    /// Added by this library; [`Families::CoreOnly`] switches all of these off.
    Extension,
    /// Like [`Extension`](Self::Extension), under the name that every Prometheus client uses, without a namespace.
    Standard,
}

/// The families that an instance exports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// The nine core families, the extensions, and the bot's own.
    #[default]
    All,
    /// The nine core families, and the bot's own.
    CoreOnly,
}

impl Families {
    /// Whether `family` is exported.
    #[must_use]
    pub fn include(self, family: &Family) -> bool {
        // If the default labels are not on each series, this family is the only one that has them.
        let carries_labels = family.name == TARGET_INFO.name;
        carries_labels || self.include_origin(family.origin)
    }

    /// Whether families of this origin are exported.
    pub(crate) fn include_origin(self, origin: Origin) -> bool {
        self == Self::All || !matches!(origin, Origin::Extension | Origin::Standard)
    }
}

/// One metric family.
#[derive(Debug, PartialEq)]
pub struct Family {
    /// The name without the namespace: `subsystem_alive` is exported as `bytelyst_bot_subsystem_alive`. Families of
    /// [`Origin::Standard`] are exported without a namespace.
    pub name: &'static str,
    /// The kind of its values.
    pub kind: Kind,
    /// The text of `# HELP`, one sentence.
    pub help: &'static str,
    /// Label names in addition to the default labels `app`, `env` and `mode`, in the order in which they are written.
    pub labels: &'static [&'static str],
    /// Upper bounds of a histogram's buckets in seconds, ascending, without `+Inf`; empty for other kinds.
    pub buckets: &'static [f64],
    /// The objective of a histogram.
    pub objective: Option<Objective>,
    /// Contract, extension, or the bot's own.
    pub origin: Origin,
}

impl Family {
    /// The name under which it is exported.
    #[must_use]
    pub fn full_name(&self, namespace: &str) -> String {
        match self.origin {
            Origin::Standard => self.name.to_owned(),
            Origin::Core | Origin::Extension | Origin::Custom => format!("{namespace}_{}", self.name),
        }
    }
}
