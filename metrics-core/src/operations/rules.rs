//! The rules as Prometheus reads them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::alerts::{Alert, areas};
use super::context::RuleContext;
use super::recording::{Recording, recordings};
use super::runbook::{AlertTexts, anchor, with_labels};

/// A file of rules.
#[derive(Debug, Serialize)]
pub(super) struct RuleFile {
    pub(super) groups: Vec<Group>,
}

/// Rules that are evaluated one after the other.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) rules: Vec<WrittenRule>,
}

/// A rule.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum WrittenRule {
    Recording(Recording),
    Alerting {
        alert: &'static str,
        expr: String,
        r#for: String,
        labels: BTreeMap<&'static str, String>,
        annotations: Annotations,
    },
}

/// The texts of an alert.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Annotations {
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) runbook_url: String,
}

impl Annotations {
    /// The texts with the values of the labels that they name.
    pub(super) fn with(&self, value: impl Fn(&str) -> String) -> Self {
        Self {
            summary: with_labels(&self.summary, &value),
            description: with_labels(&self.description, &value),
            runbook_url: self.runbook_url.clone(),
        }
    }
}

/// The rules of everything that is linked; `runbook_url` is the address of the runbook.
pub(super) fn rule_file(context: &RuleContext<'_>, runbook_url: &str) -> RuleFile {
    let namespace = &context.linked.namespace;
    let recorded = recordings(context).into_iter().map(WrittenRule::Recording);
    let recorded = Group { name: format!("{namespace}_recordings"), rules: recorded.collect() };
    let groups = areas(context).into_iter().map(|area| Group {
        name: format!("{namespace}_{}", area.name),
        rules: area.alerts.iter().flat_map(|alert| written(context, alert, runbook_url)).collect(),
    });
    RuleFile {
        groups: [recorded].into_iter().chain(groups).filter(|group| !group.rules.is_empty()).collect(),
    }
}

fn written(context: &RuleContext<'_>, alert: &Alert, runbook_url: &str) -> Vec<WrittenRule> {
    let annotations = annotations(alert, runbook_url);
    let rules = alert.rules.iter().map(|rule| {
        let labels = rule.labels.iter().cloned();
        // Prometheus knows only the labels of the series.
        let value = |label: &str| {
            let own = rule.labels.iter().find(|(name, _)| *name == label);
            own.map_or_else(|| format!("{{{{ $labels.{label} }}}}"), |(_, value)| value.clone())
        };
        WrittenRule::Alerting {
            alert: alert.name,
            expr: rule.expr.clone(),
            r#for: rule.hold(context.scale),
            labels: labels.chain([("severity", rule.urgency.label().to_owned())]).collect(),
            annotations: annotations.with(value),
        }
    });
    rules.collect()
}

/// The texts of an alert, with its labels as `{{ $labels.NAME }}`.
pub(super) fn annotations(alert: &Alert, runbook_url: &str) -> Annotations {
    let AlertTexts { summary, description, .. } = AlertTexts::of(alert.name);
    let runbook_url = format!("{runbook_url}#{}", anchor(alert.name));
    Annotations { summary, description, runbook_url }
}
