//! A change of the metrics.

use std::collections::BTreeSet;

use super::usage::{FamilyPart, Usage};
use crate::linked::LinkedFamily;

/// The effect of a change on queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Queries fail, return nothing or mean something else.
    Breaking,
    /// Queries that worked still do.
    Compatible,
    /// No query can depend on it.
    Information,
}

impl Class {
    pub(super) const ALL: [Self; 3] = [Self::Breaking, Self::Compatible, Self::Information];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Compatible => "compatible",
            Self::Information => "information",
        }
    }
}

/// A change between two catalogues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MetricChange {
    pub(super) class: Class,
    /// The changed families, by their old names, or the new ones if they were added; none if the change concerns all.
    pub(super) families: BTreeSet<String>,
    /// What changed, as a sentence without the families.
    pub(super) text: String,
    /// How to move the queries; empty if nothing has to be done.
    pub(super) migration: &'static str,
    /// The generated rules and panels that depended on the changed part.
    pub(super) used_by: BTreeSet<String>,
}

impl MetricChange {
    fn new(class: Class, text: impl Into<String>, migration: &'static str) -> Self {
        let (families, used_by) = (BTreeSet::new(), BTreeSet::new());
        Self { class, families, text: text.into(), migration, used_by }
    }

    pub(super) fn breaking(text: impl Into<String>, migration: &'static str) -> Self {
        Self::new(Class::Breaking, text, migration)
    }

    pub(super) fn compatible(text: impl Into<String>) -> Self {
        Self::new(Class::Compatible, text, "")
    }

    pub(super) fn information(text: impl Into<String>) -> Self {
        Self::new(Class::Information, text, "")
    }

    /// With a changed family, and the rules and panels that used the changed part of it.
    pub(super) fn of(mut self, family: &LinkedFamily, usage: &Usage, part: FamilyPart<'_>) -> Self {
        self.families.insert(family.name.clone());
        if self.class == Class::Breaking {
            self.used_by.extend(usage.of_family(family, part));
        }
        self
    }
}
