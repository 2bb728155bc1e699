//! Changes of a family's labels and of their values.

use std::collections::BTreeSet;

use super::change::MetricChange;
use super::usage::{FamilyPart, Usage};
use crate::linked::{LinkedFamily, LinkedLabel};

const NAME: &str = "A label cannot be exported under two names: change the queries together with the release, which is a \
                    new major version, or export the changed family under a new name.";

const ADDED: &str = "Queries that compare or join series of this family need the label in on () or ignoring (), and sums \
                     need it in without (): change them together with the release, which is a new major version.";

const VALUE: &str =
    "Let the queries match the old and the new value while both releases run: label=~\"old|new\".";

pub(super) fn changes(old: &LinkedFamily, new: &LinkedFamily, usage: &Usage) -> Vec<MetricChange> {
    let removed: Vec<_> = old.labels.iter().filter(|label| named(new, label).is_none()).collect();
    let added: Vec<_> = new.labels.iter().filter(|label| named(old, label).is_none()).collect();
    let mut changes = Vec::new();
    let mut breaking = |text: String, migration, part| {
        changes.push(MetricChange::breaking(text, migration).of(old, usage, part));
    };
    if let ([before], [after]) = (&removed[..], &added[..])
        && before.values == after.values
    {
        let text = format!("the label \"{}\" was renamed to \"{}\"", before.name, after.name);
        breaking(text, NAME, FamilyPart::Label(&before.name));
    } else {
        for label in removed {
            breaking(
                format!("the label \"{}\" was removed", label.name),
                NAME,
                FamilyPart::Label(&label.name),
            );
        }
        for label in added {
            breaking(format!("the label \"{}\" was added", label.name), ADDED, FamilyPart::All);
        }
    }
    for before in &old.labels {
        if let Some(after) = named(new, before) {
            changes.extend(of_values(old, before, after, usage));
        }
    }
    let names = |family: &LinkedFamily| -> Vec<String> {
        family.labels.iter().map(|label| label.name.clone()).collect()
    };
    let (before, after) = (names(old), names(new));
    if before != after && BTreeSet::from_iter(&before) == BTreeSet::from_iter(&after) {
        let text = "the order of the labels changed";
        changes.push(MetricChange::information(text).of(old, usage, FamilyPart::All));
    }
    changes
}

fn named<'a>(family: &'a LinkedFamily, label: &LinkedLabel) -> Option<&'a LinkedLabel> {
    family.labels.iter().find(|known| known.name == label.name)
}

fn of_values(
    family: &LinkedFamily,
    old: &LinkedLabel,
    new: &LinkedLabel,
    usage: &Usage,
) -> Vec<MetricChange> {
    let name = &old.name;
    let (before, after) = match (&old.values, &new.values) {
        (Some(before), Some(after)) => (before, after),
        (None, None) => return Vec::new(),
        (before, _) => {
            let now =
                if before.is_some() { "open: any value may appear" } else { "closed: its values are listed" };
            let change = MetricChange::compatible(format!("the label \"{name}\" became {now}"));
            return vec![change.of(family, usage, FamilyPart::All)];
        }
    };
    let removed = before.iter().filter(|value| !after.contains(value)).map(|value| {
        let text = format!("the value \"{value}\" of the label \"{name}\" was removed");
        MetricChange::breaking(text, VALUE).of(family, usage, FamilyPart::Value(name, value))
    });
    let added = after.iter().filter(|value| !before.contains(value)).map(|value| {
        let text = format!("the value \"{value}\" of the label \"{name}\" was added");
        MetricChange::compatible(text).of(family, usage, FamilyPart::All)
    });
    removed.chain(added).collect()
}
