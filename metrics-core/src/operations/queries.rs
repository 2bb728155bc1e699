//! Every query in the generated files, for the commands that have to know them all.

use std::fmt;

use super::context::RuleContext;
use super::dashboard;
use super::recording::Recording;
use super::rules::{WrittenRule, rule_file};
use super::scale::TimeScale;
use crate::linked::LinkedCatalogue;

/// A generated query.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) place: QueryPlace,
    /// The name of the alert or of the recorded series, or the place in the dashboard: `panel ROW / TITLE`,
    /// `annotation NAME` or `variable NAME`.
    pub(super) name: String,
    pub(super) expr: String,
    /// The labels and texts of the result, which name labels of the series.
    pub(super) annotations: String,
}

/// The kind of object that contains a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueryPlace {
    Alert,
    RecordingRule,
    /// A panel, an annotation or a variable. Grafana replaces the variables in the query.
    Dashboard,
}

impl Query {
    /// The series that the result is recorded as.
    pub(super) fn recorded_series(&self) -> Option<&str> {
        (self.place == QueryPlace::RecordingRule).then_some(&self.name)
    }
}

/// The place, and the name there.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            QueryPlace::Alert => "alert",
            QueryPlace::RecordingRule => "recording rule",
            QueryPlace::Dashboard => return f.write_str(&self.name),
        };
        write!(f, "{place} {}", self.name)
    }
}

/// The queries that are generated for a catalogue and a job, in the order of the files.
pub(super) fn queries(linked: &LinkedCatalogue, job: Option<&str>) -> Vec<Query> {
    let context = RuleContext::new(linked, TimeScale::NONE, job);
    let file = rule_file(&context, "");
    let rules = file.groups.into_iter().flat_map(|group| group.rules);
    rules
        .map(|rule| match rule {
            WrittenRule::Recording(Recording { name, expr }) => {
                Query { place: QueryPlace::RecordingRule, name, expr, annotations: String::new() }
            }
            WrittenRule::Alerting { alert, expr, annotations, labels, .. } => Query {
                place: QueryPlace::Alert,
                name: alert.to_owned(),
                expr,
                annotations: labels
                    .into_values()
                    .chain([annotations.summary, annotations.description])
                    .collect::<Vec<_>>()
                    .join(" "),
            },
        })
        .chain(dashboard::queries(&context))
        .collect()
}
