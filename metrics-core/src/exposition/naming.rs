//! How the series of an instance are named.

use crate::catalogue::{Families, Family};

/// The part of the settings that an exposition shows: which families, under which namespace, with which labels on each
/// series.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    pub(crate) families: Families,
    pub(crate) namespace: String,
    /// On each series, in this order.
    pub(crate) default_labels: Vec<(&'static str, String)>,
}

impl Naming {
    pub(crate) fn full_name(&self, family: &Family) -> String {
        family.full_name(&self.namespace)
    }
}
