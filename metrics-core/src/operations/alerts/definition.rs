//! An alert.

use super::Scenario;

/// An alert, of one rule or of several with the same name.
pub(in crate::operations) struct Alert {
    pub(in crate::operations) name: &'static str,
    pub(in crate::operations) rules: Vec<Rule>,
    /// One line; may contain labels as `{{ $labels.NAME }}`.
    pub(in crate::operations) summary: &'static str,
    /// The likely causes; may contain labels.
    pub(in crate::operations) description: &'static str,
    pub(in crate::operations) scenarios: Vec<Scenario>,
}

/// One rule of an alert.
pub(in crate::operations) struct Rule {
    pub(in crate::operations) expr: String,
    /// The time in seconds for which the expression must hold.
    pub(in crate::operations) hold: u64,
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
    pub(in crate::operations) fn severity(self) -> &'static str {
        match self {
            // Without the label, as after a relabelling, real money is assumed.
            Self::Page => "{{ if eq $labels.mode \"paper\" }}warning{{ else }}critical{{ end }}",
            Self::AlwaysPage => "critical",
            Self::Warn => "warning",
            Self::Inform => "info",
            Self::Heartbeat => "none",
        }
    }
}

impl Urgency {
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

impl Alert {
    /// An alert of one rule.
    pub(super) fn new(
        name: &'static str,
        urgency: Urgency,
        hold: u64,
        expr: impl Into<String>,
        [summary, description]: [&'static str; 2],
        scenarios: impl Into<Vec<Scenario>>,
    ) -> Self {
        let rule = Rule { expr: expr.into(), hold, urgency, labels: Vec::new() };
        Self { name, rules: vec![rule], summary, description, scenarios: scenarios.into() }
    }
}
