//! The naming of an instance's series.

use crate::catalogue::{Families, Family};

/// The settings that determine an exposition: the families, their namespace, and the labels on each series.
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
