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
    let mut breaking = |text: String, migration, used_by: Vec<String>| {
        let mut change = MetricChange::breaking(text, migration);
        change.used_by.extend(used_by);
        changes.push(change);
    };
    if old.namespace != new.namespace {
        let text = format!("the namespace changed from \"{}\" to \"{}\"", old.namespace, new.namespace);
        breaking(text, NAMESPACE, usage.of_prefix(&old.namespace));
    }
    let added = new.default_labels.keys().filter(|name| !old.default_labels.contains_key(*name));
    for name in old.default_labels.keys().chain(added) {
        let (change, used_by) = match (old.default_labels.get(name), new.default_labels.get(name)) {
            (Some(before), Some(after)) if before == after => continue,
            (Some(before), Some(after)) => {
                (format!("changed from \"{before}\" to \"{after}\""), usage.of_default_value(name, before))
            }
            (Some(_), None) => ("was removed".to_owned(), usage.of_default_label(name)),
            (None, _) => ("was added".to_owned(), usage.of_default_label(name)),
        };
        breaking(format!("the default label \"{name}\" {change}"), DEFAULT_LABELS, used_by);
    }
    if old.default_labels_in_target_info != new.default_labels_in_target_info {
        let place = if new.default_labels_in_target_info { "to target_info alone" } else { "to each series" };
        let text = format!("the default labels were moved {place}");
        let used_by = old.default_labels.keys().flat_map(|name| usage.of_default_label(name)).collect();
        breaking(text, TARGET_INFO, used_by);
    }
    changes
}
