//! A declared family, as the linker lists it.

use std::fmt;
use std::sync::Arc;

use linkme::distributed_slice;

use super::handle::{Counter, Gauge, Histogram};
use super::label::LabelType;
use super::series::Slot;
use crate::catalogue::{Family, Kind, Origin};
use crate::registry;

/// One element for each family declared in a crate that is linked, used or not, in no particular order.
#[distributed_slice]
pub static CUSTOM_FAMILIES: [&'static CustomFamily];

/// A family of the bot's own.
#[derive(Debug, PartialEq)]
pub struct CustomFamily {
    pub(crate) family: Family,
    pub(crate) labels: &'static [LabelType],
    pub(crate) place: Place,
}

/// Where something is declared.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The module.
    pub module: &'static str,
    /// The file, as the compiler was given it.
    pub file: &'static str,
    /// The line.
    pub line: u32,
}

/// Two declarations of one family are the same wherever they stand.
impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.module, self.file, self.line)
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

impl CustomFamily {
    /// A family with these labels.
    #[must_use]
    pub const fn new(
        kind: Kind,
        name: &'static str,
        help: &'static str,
        label_names: &'static [&'static str],
        labels: &'static [LabelType],
        place: Place,
    ) -> Self {
        let family = Family {
            name,
            kind,
            help,
            labels: label_names,
            buckets: &[],
            objective: None,
            origin: Origin::Custom,
        };
        Self { family, labels, place }
    }

    /// With these buckets.
    #[must_use]
    pub const fn buckets(mut self, buckets: &'static [f64]) -> Self {
        self.family.buckets = buckets;
        self
    }

    /// With this objective.
    #[must_use]
    pub const fn objective(mut self, threshold: f64, ratio: f64) -> Self {
        self.family.objective = Some(Objective { threshold, ratio });
        self
    }

    /// The counter with these label values, in the process-wide instance.
    #[must_use]
    pub fn counter(&'static self, values: &[&str]) -> Counter {
        Counter(self.slot(values))
    }

    /// The gauge with these label values, in the process-wide instance.
    #[must_use]
    pub fn gauge(&'static self, values: &[&str]) -> Gauge {
        Gauge(self.slot(values))
    }

    /// The histogram with these label values, in the process-wide instance.
    #[must_use]
    pub fn histogram(&'static self, values: &[&str]) -> Histogram {
        Histogram(self.slot(values))
    }

    /// None where nothing is measured.
    fn slot(&'static self, values: &[&str]) -> Option<Arc<Slot>> {
        cfg!(feature = "enable").then(|| registry::process_core().custom.slot(self, values))
    }
}
