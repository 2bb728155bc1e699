//! Changes of the labels and the prefix that all series have.

use super::change::MetricChange;
use super::usage::Usage;
use crate::linked::LinkedCatalogue;

const NAMESPACE: &str = "Deploy the rules and dashboards of the new release together with it. For queries that cannot \
                         change at once, metric_relabel_configs of Prometheus can restore the old prefix in __name__.";

const DEFAULT_LABELS: &str = "Change the queries together with the release: one series cannot have both values. Alerts \
                              and dashboards that select by this label match the old series only.";

const TARGET_INFO: &str = "Change the queries together with the release: join with target_info on (job, instance) where \
                           the labels are only there.";

pub(super) fn changes(old: &LinkedCatalogue, new: &LinkedCatalogue, usage: &Usage) -> Vec<MetricChange> {
    let mut changes = Vec::new();
    if old.namespace != new.namespace {
        let text = format!("the namespace changed from \"{}\" to \"{}\"", old.namespace, new.namespace);
        let mut change = MetricChange::breaking(text, NAMESPACE);
        change.used_by.extend(usage.of_prefix(&old.namespace));
        changes.push(change);
    }
    let names = old
        .default_labels
        .keys()
        .chain(new.default_labels.keys().filter(|name| !old.default_labels.contains_key(*name)));
    for name in names {
        let text = match (old.default_labels.get(name), new.default_labels.get(name)) {
            (Some(before), Some(after)) if before == after => continue,
            (Some(before), Some(after)) => {
                format!("the default label \"{name}\" changed from \"{before}\" to \"{after}\"")
            }
            (Some(_), None) => format!("the default label \"{name}\" was removed"),
            (None, _) => format!("the default label \"{name}\" was added"),
        };
        let mut change = MetricChange::breaking(text, DEFAULT_LABELS);
        change.used_by.extend(match old.default_labels.get(name) {
            Some(before) if new.default_labels.contains_key(name) => usage.of_default_value(name, before),
            _ => usage.of_default_label(name),
        });
        changes.push(change);
    }
    let is_moved = old.default_labels_in_target_info != new.default_labels_in_target_info;
    if is_moved {
        let place = if new.default_labels_in_target_info { "to target_info alone" } else { "to each series" };
        let text = format!("the default labels were moved {place}");
        let mut change = MetricChange::breaking(text, TARGET_INFO);
        change.used_by.extend(old.default_labels.keys().flat_map(|name| usage.of_default_label(name)));
        changes.push(change);
    }
    changes
}
