//! The contract between a bot and the queries of its metrics: which changes of a release break them.
//!
//! Two linked catalogues are compared. Queries outside the bot depend on names, types, units, labels, their values and
//! buckets; they do not depend on source files and functions, whose changes are listed only on request.

mod change;
mod command;
mod families;
mod functions;
mod identity;
mod labels;
mod report;
#[cfg(test)]
mod tests;
mod usage;

pub(super) use self::command::DiffOptions;
#[cfg(feature = "doctor")]
pub(super) use self::command::read_catalogue;

use self::change::MetricChange;
use self::usage::Usage;
use crate::linked::LinkedCatalogue;

/// All changes, the worst first; equal changes of several families are one.
fn compare(old: &LinkedCatalogue, new: &LinkedCatalogue) -> Vec<MetricChange> {
    let usage = Usage::of(old);
    let mut changes = identity::changes(old, new, &usage);
    changes.extend(families::changes(old, new, &usage));
    changes.extend(functions::changes(old, new));
    let mut merged: Vec<MetricChange> = Vec::new();
    for change in changes {
        let is_alike = |known: &&mut MetricChange| {
            let has_families = !known.families.is_empty() && !change.families.is_empty();
            has_families && (known.class, &known.text) == (change.class, &change.text)
        };
        if let Some(known) = merged.iter_mut().find(is_alike) {
            known.families.extend(change.families);
            known.used_by.extend(change.used_by);
        } else {
            merged.push(change);
        }
    }
    merged.sort_by_key(|change| change.class);
    merged
}
