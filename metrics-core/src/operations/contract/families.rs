//! Changes of the families.

use super::change::MetricChange;
use super::labels;
use super::usage::{FamilyPart, Usage};
use crate::linked::{Decimal, LinkedCatalogue, LinkedFamily, LinkedObjective};

const REMOVED: &str = "Move the queries to another family first; alerts on the removed one never fire again.";

const RENAMED: &str = "Export both names for one release, move the queries, and then remove the old name.";

const REPLACED: &str = "Export the changed family under a new name beside the old one for one release, move the queries, \
                        and then remove the old one.";

const BUCKETS: &str = "Keep the old bounds and add new ones beside them: a query that names a removed bound returns \
                       nothing, and quantiles across the release mix both sets.";

const OBJECTIVE: &str = "Deploy the rules of the new release together with it: those of the old one still measure the \
                         old objective.";

pub(super) fn changes(old: &LinkedCatalogue, new: &LinkedCatalogue, usage: &Usage) -> Vec<MetricChange> {
    let mut changes = Vec::new();
    let lacks = |catalogue: &LinkedCatalogue, of: &LinkedCatalogue, family: &LinkedFamily| {
        catalogue.family(of.without_namespace(family)).is_none()
    };
    let mut added: Vec<_> = new.families.iter().filter(|family| lacks(old, new, family)).collect();
    for family in &old.families {
        if let Some(after) = new.family(old.without_namespace(family)) {
            changes.extend(of_pair(family, after, usage));
        } else if let Some(index) = renamed(family, &added) {
            let after = added.remove(index);
            let text = format!("renamed to {}", after.name);
            changes.push(MetricChange::breaking(text, RENAMED).of(family, usage, FamilyPart::All));
            changes.extend(of_pair(family, after, usage));
        } else {
            changes.push(MetricChange::breaking("removed", REMOVED).of(family, usage, FamilyPart::All));
        }
    }
    changes.extend(
        added.into_iter().map(|family| MetricChange::compatible("added").of(family, usage, FamilyPart::All)),
    );
    changes
}

/// The index of the added family that is the same under another name: with the same help text, or the only one with the
/// same kind, labels and buckets.
fn renamed(old: &LinkedFamily, added: &[&LinkedFamily]) -> Option<usize> {
    let positions = |is: &dyn Fn(&LinkedFamily) -> bool| {
        let found = added.iter().enumerate().filter(|(_, family)| family.origin == old.origin && is(family));
        found.map(|(index, _)| index).collect::<Vec<_>>()
    };
    let with_help = positions(&|family| family.help == old.help);
    let alike = positions(&|family| {
        (family.kind, &family.labels, &family.buckets) == (old.kind, &old.labels, &old.buckets)
            && family.unit == old.unit
    });
    [with_help, alike].into_iter().find_map(|found| if let [only] = found[..] { Some(only) } else { None })
}

/// The changes of a family that both catalogues have.
fn of_pair(old: &LinkedFamily, new: &LinkedFamily, usage: &Usage) -> Vec<MetricChange> {
    let mut changes = Vec::new();
    let mut replaced =
        |text: String, part| changes.push(MetricChange::breaking(text, REPLACED).of(old, usage, part));
    if old.kind != new.kind {
        replaced(
            format!("the type changed from {} to {}", old.kind.as_str(), new.kind.as_str()),
            FamilyPart::All,
        );
    }
    if old.unit != new.unit {
        let shown = |unit: &str| if unit.is_empty() { "none".to_owned() } else { format!("\"{unit}\"") };
        replaced(
            format!("the unit changed from {} to {}", shown(&old.unit), shown(&new.unit)),
            FamilyPart::All,
        );
    }
    changes.extend(labels::changes(old, new, usage));
    if old.kind == new.kind {
        changes.extend(of_buckets(old, new, usage));
        changes.extend(of_objective(old, new, usage));
    }
    if old.help != new.help {
        changes.push(MetricChange::information("the help text changed").of(old, usage, FamilyPart::All));
    }
    if old.origin != new.origin {
        changes.push(MetricChange::information("the origin changed").of(old, usage, FamilyPart::All));
    }
    changes
}

fn of_buckets(old: &LinkedFamily, new: &LinkedFamily, usage: &Usage) -> Vec<MetricChange> {
    let removed = missing(&old.buckets, &new.buckets);
    let added = missing(&new.buckets, &old.buckets);
    let mut changes = Vec::new();
    if !removed.is_empty() {
        let instead = if added.is_empty() { String::new() } else { format!("; added: {added}") };
        let text = format!("bucket bounds were removed: {removed}{instead}");
        changes.push(MetricChange::breaking(text, BUCKETS).of(old, usage, FamilyPart::Buckets));
    } else if !added.is_empty() {
        let text = format!("bucket bounds were added: {added}");
        changes.push(MetricChange::compatible(text).of(old, usage, FamilyPart::Buckets));
    }
    changes
}

/// The bounds that the others lack, separated by commas.
fn missing(bounds: &[Decimal], others: &[Decimal]) -> String {
    let missing = bounds.iter().filter(|bound| !others.contains(bound));
    missing.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn of_objective(old: &LinkedFamily, new: &LinkedFamily, usage: &Usage) -> Option<MetricChange> {
    let shown = |objective: LinkedObjective| format!("{} within {}", objective.ratio, objective.threshold);
    let change = match (old.objective, new.objective) {
        (before, after) if before == after => return None,
        (None, Some(after)) => MetricChange::compatible(format!("the objective {} was added", shown(after))),
        (Some(before), None) => {
            MetricChange::breaking(format!("the objective {} was removed", shown(before)), OBJECTIVE)
        }
        (Some(before), Some(after)) => {
            let text = format!("the objective changed from {} to {}", shown(before), shown(after));
            if before.threshold == after.threshold {
                MetricChange::compatible(text)
            } else {
                MetricChange::breaking(text, OBJECTIVE)
            }
        }
        (None, None) => return None,
    };
    Some(change.of(old, usage, FamilyPart::Buckets))
}
