//! Changes of the annotated functions, on which no query depends, and of their maximum ages, from which an alert fires.

use super::change::MetricChange;
use crate::linked::{Decimal, LinkedCatalogue, LinkedFunction};

/// Two functions, the old one first.
type FunctionPair<'a> = (&'a LinkedFunction, &'a LinkedFunction);

pub(super) fn changes(old: &LinkedCatalogue, new: &LinkedCatalogue) -> Vec<MetricChange> {
    let mut gone: Vec<_> = old.functions.iter().collect();
    let mut come: Vec<_> = new.functions.iter().collect();
    // From the surest pairs to those that are only alike: a module may have several functions of one name.
    pairs(&mut gone, &mut come, |before, after| before == after);
    let kept = pairs(&mut gone, &mut come, |before, after| {
        path(before) == path(after) && before.attribute == after.attribute
    });
    let renamed = pairs(&mut gone, &mut come, |before, after| {
        (&before.attribute, &before.labels, &before.families)
            == (&after.attribute, &after.labels, &after.families)
    });
    let mut changes = Vec::new();
    for (before, after) in kept {
        changes.extend(of_max_age(before, after));
        changes.extend(of_place(before, after));
    }
    for (before, after) in renamed {
        changes.extend(of_max_age(before, after));
        let text = format!("the function {} was renamed or moved to {}", path(before), path(after));
        changes.push(MetricChange::information(text));
    }
    let of = |function: &LinkedFunction, has: &str| {
        let text = format!("the function {} {has} the attribute {}", path(function), function.attribute);
        MetricChange::information(text)
    };
    changes.extend(gone.into_iter().map(|before| of(before, "no longer has")));
    changes.extend(come.into_iter().map(|after| of(after, "has")));
    changes
}

/// Takes the functions that belong together out of both lists.
fn pairs<'a>(
    gone: &mut Vec<&'a LinkedFunction>,
    come: &mut Vec<&'a LinkedFunction>,
    belong: impl Fn(&LinkedFunction, &LinkedFunction) -> bool,
) -> Vec<FunctionPair<'a>> {
    let mut pairs = Vec::new();
    gone.retain(|before| {
        let index = come.iter().position(|after| belong(before, after));
        pairs.extend(index.map(|index| (*before, come.remove(index))));
        index.is_none()
    });
    pairs
}

fn path(function: &LinkedFunction) -> String {
    format!("{}::{}", function.module, function.function)
}

fn of_place(before: &LinkedFunction, after: &LinkedFunction) -> Option<MetricChange> {
    let place = |function: &LinkedFunction| format!("{}:{}", function.file, function.line);
    let (from, to) = (place(before), place(after));
    let text = format!("the function {} moved from {from} to {to}", path(before));
    (from != to).then(|| MetricChange::information(text))
}

fn of_max_age(before: &LinkedFunction, after: &LinkedFunction) -> Option<MetricChange> {
    let shown = |age: Option<Decimal>| age.map_or_else(|| "the default".to_owned(), |age| format!("{age} s"));
    let (from, to) = (shown(before.max_age_seconds), shown(after.max_age_seconds));
    let text = format!("the maximum age of {} changed from {from} to {to}", path(before));
    (from != to).then(|| MetricChange::compatible(text))
}
