//! A foreign family that may be served.

use std::collections::HashSet;

use prometheus::proto;

use super::family_type::FamilyType;
use super::rules::family::SeriesLabels;
use super::rules::fault::Fault;
use super::rules::registry;

/// A checked foreign family. Several collectors may each contribute a part.
#[derive(Clone, Debug)]
pub(crate) struct ForeignFamily {
    pub(super) name: String,
    pub(super) family_type: FamilyType,
    /// May be empty.
    pub(super) help: String,
    labels: HashSet<SeriesLabels<'static>>,
    pub(super) series: Vec<proto::Metric>,
}

impl ForeignFamily {
    /// Checks whether a family may be served. `now_ms` is the Unix time in milliseconds.
    pub(super) fn checked(mut family: proto::MetricFamily, now_ms: i64) -> Result<Self, Fault> {
        let labels = registry::check(&family, now_ms)?;
        Ok(Self {
            name: family.name().to_owned(),
            family_type: family.get_field_type().into(),
            help: family.help().to_owned(),
            labels,
            series: family.take_metric(),
        })
    }

    /// Adds the series of another part of the family. The help text of the first part is kept.
    pub(super) fn merge(&mut self, other: &Self) -> Result<(), Fault> {
        if self.family_type != other.family_type {
            return Err(Fault::OtherType);
        }
        if !self.labels.is_disjoint(&other.labels) {
            return Err(Fault::SeriesTwice);
        }
        self.labels.extend(other.labels.iter().cloned());
        self.series.extend_from_slice(&other.series);
        Ok(())
    }
}
