//! The linked catalogue: every metric that a binary can export and every function that it measures, as plain data.
//!
//! It is known before the bot runs, because call sites and families are listed by the linker. Alert rules, the
//! reference and the comparison of two releases are derived from it.
//!
//! ```
//! use bot_metrics::linked::LinkedCatalogue;
//! use bot_metrics::prelude::*;
//!
//! #[timed_subsystem("trading", every = "5s")]
//! fn cycle() {}
//!
//! let linked = LinkedCatalogue::of(&Settings::new(Mode::Paper));
//! let alive = linked.family("subsystem_alive").expect("a subsystem is linked");
//! assert_eq!(alive.name, "bytelyst_bot_subsystem_alive");
//! assert_eq!(alive.labels[0].values, Some(vec!["trading".to_owned()]));
//! ```

mod decimal;
mod families;
mod functions;
mod groups;
#[cfg(test)]
mod tests;

#[cfg(feature = "page")]
pub(crate) use functions::label_names;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::{DEFAULT_LABELS, Families, Kind, Origin};
use crate::instance::settings::Settings;
use crate::sites::call_site::call_sites;

pub use decimal::Decimal;

/// The version of the data's format; a later one may have more fields.
pub const FORMAT: u32 = 1;

/// The metrics and measured functions of a binary. Equal binaries and settings give equal data, in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LinkedCatalogue {
    /// The version of this format, [`FORMAT`].
    pub format: u32,
    /// The prefix of each name except the standard ones, such as `bytelyst_bot`.
    pub namespace: String,
    /// The labels that every series has beside those of its family.
    pub default_labels: BTreeMap<String, String>,
    /// Whether only `target_info` has the default labels, instead of each series.
    pub default_labels_in_target_info: bool,
    /// The families, sorted by name.
    pub families: Vec<LinkedFamily>,
    /// The annotated functions, sorted by file and line.
    pub functions: Vec<LinkedFunction>,
}

/// A metric family of the binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LinkedFamily {
    /// The full name, with the namespace.
    pub name: String,
    /// The kind of its values: `counter`, `gauge` or `histogram`.
    pub kind: Kind,
    /// The unit in which the name ends: `seconds`, `bytes`, `ratio`, `percent`; empty for a name without a unit.
    pub unit: String,
    /// The text of `# HELP`.
    pub help: String,
    /// The labels in addition to the default labels, in the order in which they are written.
    pub labels: Vec<LinkedLabel>,
    /// The upper bounds of a histogram's buckets in the family's unit, ascending, without `+Inf`; empty for other kinds.
    pub buckets: Vec<Decimal>,
    /// The objective of a histogram.
    pub objective: Option<LinkedObjective>,
    /// `core` for the contract, `extension` and `standard` for the library's other families, `custom` for the bot's own.
    pub origin: Origin,
}

/// A label of a family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LinkedLabel {
    /// The label's name.
    pub name: String,
    /// The possible values, sorted; `None` if they are not known before the bot runs, such as profiles and symbols.
    pub values: Option<Vec<String>>,
}

/// The part of the observations that should be at or below a bucket's bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LinkedObjective {
    /// A bound of the histogram's buckets, in the family's unit.
    pub threshold: Decimal,
    /// Above 0 and below 1: 0.99 for 99 %.
    pub ratio: Decimal,
}

/// An annotated function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LinkedFunction {
    /// The function's name.
    pub function: String,
    /// The path of the module that contains it.
    pub module: String,
    /// The source file, as passed to the compiler.
    pub file: String,
    /// The line of the attribute, from 1.
    pub line: u32,
    /// The attribute's name: `timed_subsystem`, `exchange_call`, `operational_event`, `capital_check`,
    /// `reconciliation`, `timed` or `counted`.
    pub attribute: String,
    /// The full names of the families to which it records, sorted.
    pub families: Vec<String>,
    /// The values of the labels that the attribute determines, sorted; several if each call chooses one. A label without
    /// an entry is open.
    pub labels: BTreeMap<String, Vec<String>>,
    /// The age of the last success above which the subsystem counts as stalled, in seconds, if the attribute gives it.
    pub max_age_seconds: Option<Decimal>,
}

impl LinkedCatalogue {
    /// The catalogue of this binary under these settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let sites = call_sites();
        let functions: Vec<_> = sites.iter().map(|site| functions::function(site, settings)).collect();
        let default_labels = DEFAULT_LABELS.into_iter().zip(settings.identity());
        Self {
            format: FORMAT,
            namespace: settings.namespace.clone(),
            default_labels: default_labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            default_labels_in_target_info: settings.target_info,
            families: families::linked(&sites, settings),
            functions,
        }
    }

    /// The family with this name, given without the namespace; `None` if the binary does not export it.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&LinkedFamily> {
        let of_namespace = |family: &&LinkedFamily| self.without_namespace(family) == name;
        self.families.iter().find(of_namespace)
    }

    /// The name of a family without the namespace.
    #[must_use]
    pub fn without_namespace<'a>(&self, family: &'a LinkedFamily) -> &'a str {
        let own = |name: &'a str| name.strip_prefix(&*self.namespace)?.strip_prefix('_');
        if family.origin == Origin::Standard {
            &family.name
        } else {
            own(&family.name).unwrap_or(&family.name)
        }
    }
}

impl LinkedFamily {
    /// Whether the label can have this value: it is listed, or the values are not known.
    #[must_use]
    pub fn may_have(&self, label: &str, value: &str) -> bool {
        self.labels.iter().any(|known| known.name == label && known.may_be(value))
    }

    /// Whether it belongs to the extensions, which one setting switches off.
    #[must_use]
    pub fn is_extension(&self) -> bool {
        !Families::CoreOnly.include_origin(self.origin) && self.name != crate::catalogue::TARGET_INFO.name
    }
}

impl LinkedLabel {
    /// Whether it can have this value: it is listed, or the values are not known.
    #[must_use]
    pub fn may_be(&self, value: &str) -> bool {
        self.values.as_ref().is_none_or(|values| values.iter().any(|known| known == value))
    }
}
