//! An alert.

use super::Scenario;
use crate::operations::context::RuleContext;
use crate::operations::scale::{TimeScale, in_promql};

/// An alert, of one rule or of several with the same name. Its texts are in `runbook.md`.
pub(in crate::operations) struct Alert {
    pub(in crate::operations) name: &'static str,
    pub(in crate::operations) rules: Vec<Rule>,
    pub(in crate::operations) scenarios: Vec<Scenario>,
}

/// The functions that make the alerts of an area, each `None` unless its families, labels and objectives are linked.
pub(in crate::operations) type AlertList = [fn(&RuleContext<'_>) -> Option<Alert>];

/// One rule of an alert.
pub(in crate::operations) struct Rule {
    pub(in crate::operations) expr: String,
    /// The time in seconds for which the expression must hold.
    pub(super) hold: u64,
    /// A further time for some cycles of a loop, whose pace no time scale changes.
    pub(super) hold_for_cycles: u64,
    pub(in crate::operations) urgency: Urgency,
    /// Further labels of the alert.
    pub(in crate::operations) labels: Vec<(&'static str, String)>,
}

/// How soon a person has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::operations) enum Urgency {
    /// Now if real money is traded: critical, but a warning where `mode` is paper.
    Page,
    /// Now, and the alert has no label `mode`: critical.
    AlwaysPage,
    /// Today.
    Warn,
    /// When convenient.
    Inform,
    /// Never: the alert only proves that alerts arrive.
    Heartbeat,
}

impl Urgency {
    /// The label `severity` of the rule.
    pub(in crate::operations) fn label(self) -> &'static str {
        match self {
            // Without the label `mode`, as after a relabelling, real money is assumed.
            Self::Page => "{{ if eq $labels.mode \"paper\" }}warning{{ else }}critical{{ end }}",
            _ => self.severity(),
        }
    }

    /// The severity of the alert of a live bot.
    pub(super) fn severity(self) -> &'static str {
        match self {
            Self::Page | Self::AlwaysPage => "critical",
            Self::Warn => "warning",
            Self::Inform => "info",
            Self::Heartbeat => "none",
        }
    }

    /// For the runbook.
    pub(in crate::operations) fn in_words(self) -> &'static str {
        match self {
            Self::Page => "Critical for a live bot, a warning on paper",
            Self::AlwaysPage => "Critical",
            Self::Warn => "A warning",
            Self::Inform => "For information",
            Self::Heartbeat => "Always firing",
        }
    }
}

impl Rule {
    pub(super) fn new(urgency: Urgency, hold: u64, expr: impl Into<String>) -> Self {
        Self { expr: expr.into(), hold, hold_for_cycles: 0, urgency, labels: Vec::new() }
    }

    /// The time for which the expression must hold, in PromQL.
    pub(in crate::operations) fn hold(&self, scale: TimeScale) -> String {
        in_promql(scale.milliseconds(self.hold) + self.hold_for_cycles * 1_000)
    }

    pub(super) fn with(mut self, label: &'static str, value: &str) -> Self {
        self.labels.push((label, value.to_owned()));
        self
    }
}

impl Alert {
    /// An alert of one rule.
    pub(super) fn new(
        name: &'static str,
        urgency: Urgency,
        hold: u64,
        expr: impl Into<String>,
        scenarios: impl IntoIterator<Item = Scenario>,
    ) -> Self {
        Self::of_rules(name, vec![Rule::new(urgency, hold, expr)], scenarios)
    }

    /// An alert of several rules. Its scenarios expect the severity of the first one, unless they name another.
    pub(super) fn of_rules(
        name: &'static str,
        rules: Vec<Rule>,
        scenarios: impl IntoIterator<Item = Scenario>,
    ) -> Self {
        let severity = rules.first().map_or("", |rule| rule.urgency.severity());
        let scenarios = scenarios.into_iter().map(|scenario| scenario.of_severity(severity)).collect();
        Self { name, rules, scenarios }
    }
}
