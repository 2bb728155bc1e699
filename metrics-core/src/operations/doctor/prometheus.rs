//! Whether a Prometheus has the bot's series, and answers the queries of the rules and panels.

use serde::Deserialize;
use serde_json::Value;

use super::finding::{BotFinding, Check, FindingLevel};
use super::use_marks::is_created_by_use;
use crate::catalogue::{Kind, OPERATIONAL_EVENTS_TOTAL};
use crate::client::{HttpClient, explained};
use crate::linked::{LinkedCatalogue, LinkedFamily};
use crate::operations::alerts::WATCHDOG;
use crate::operations::context::RuleContext;
use crate::operations::promql::equal;
use crate::operations::queries::{Query, QueryPlace, queries};
use crate::operations::scale::TimeScale;
use crate::shown::shown;

const UNREACHABLE: &str = "Check the address of Prometheus and its credentials.";

const NO_TARGET: &str = "BotMissing always fires, and no other alert about the bot does. Pass the job of the scrape \
                         configuration as --job, here and to `metrics rules`.";

const NO_SERIES: &str = "Check on Prometheus' page Targets that the bot is scraped, and that no relabelling drops the \
                         family.";

const EXPORTED: &str = "The target has a label of the same name, and Prometheus renamed the bot's. Set honor_labels: true in \
                        the scrape configuration.";

const REFUSED: &str = "The query cannot be evaluated. Write the rules and the dashboard again with `metrics rules` and \
                       `metrics dashboard` of the running release.";

const EMPTY_RULE: &str =
    "Nothing was recorded within the window of the rule, or Prometheus does not have its series.";

const EMPTY_PANEL: &str = "The description of the panel says what no data means.";

const FIRING: &str = "The condition of the alert holds now: see the runbook.";

/// The answer to an instant query.
#[derive(Deserialize)]
struct QueryAnswer {
    data: Option<QueryData>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct QueryData {
    result: Vec<Value>,
}

/// The checks of one bot, and what they found so far.
struct PrometheusCheck<'a> {
    client: &'a HttpClient,
    url: &'a str,
    expected: &'a LinkedCatalogue,
    /// The job under which Prometheus scrapes the bot.
    job: &'a str,
    findings: Vec<BotFinding>,
}

/// Checks the series, rules and panels of the expected families. The bot's job is by default the name of its app.
pub(super) fn check(
    client: &HttpClient,
    url: &str,
    expected: &LinkedCatalogue,
    job: Option<&str>,
) -> Vec<BotFinding> {
    let RuleContext { job, .. } = RuleContext::new(expected, TimeScale::NONE, job);
    let mut check = PrometheusCheck { client, url, expected, job, findings: Vec::new() };
    if let Err(problem) = check.run() {
        check.violation(url, problem, UNREACHABLE);
    }
    check.findings
}

impl PrometheusCheck<'_> {
    /// `Err` if Prometheus does not answer.
    fn run(&mut self) -> Result<(), String> {
        if self.is_scraped()? {
            self.families()?;
            self.renamed_labels()?;
            self.queries()?;
        }
        Ok(())
    }

    /// A matcher of the bot's job.
    fn job(&self) -> String {
        equal("job", self.job)
    }

    /// Whether Prometheus has a target of the job. Otherwise nothing else can be right.
    fn is_scraped(&mut self) -> Result<bool, String> {
        let subject = format!("job {}", self.job);
        let targets = format!("up{{{}}}", self.job());
        if self.count(&targets, &subject)? != Some(0) {
            return Ok(true);
        }
        let series = OPERATIONAL_EVENTS_TOTAL.full_name(&self.expected.namespace);
        let jobs = self.ask(&format!("group by (job) ({series})"), &subject)?.unwrap_or_default();
        let jobs: Vec<_> =
            jobs.iter().filter_map(|series| series["metric"]["job"].as_str()).map(shown).collect();
        let others = match &jobs[..] {
            [] => "no series of such a bot".to_owned(),
            jobs => format!(
                "series of such a bot under {}",
                jobs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
        };
        let problem = format!("Prometheus has no target of this job; it has {others}");
        self.violation(&subject, problem, NO_TARGET);
        Ok(false)
    }

    fn families(&mut self) -> Result<(), String> {
        let expected = self.expected;
        for family in expected.families.iter().filter(|family| !is_created_by_use(family, expected)) {
            let query = format!("{}{{{}}}", counted(family), self.job());
            if self.count(&query, &family.name)? == Some(0) {
                self.violation(&family.name, "Prometheus has no series of it", NO_SERIES);
            }
        }
        Ok(())
    }

    /// Labels of the bot that Prometheus renamed to `exported_…`.
    fn renamed_labels(&mut self) -> Result<(), String> {
        let expected = self.expected;
        let of_families = expected.families.iter().flat_map(|family| &family.labels).map(|label| &label.name);
        let mut labels: Vec<_> = expected.default_labels.keys().chain(of_families).collect();
        labels.sort_unstable();
        labels.dedup();
        for label in labels {
            let (namespace, job) = (&expected.namespace, self.job());
            let query = format!("{{__name__=~\"{namespace}_.+\", {job}, exported_{label}!=\"\"}}");
            if let Some(series @ 1..) = self.count(&query, label)? {
                let problem = format!("{series} series have the label exported_{label} instead");
                self.findings.push(BotFinding::violation(Check::Label, label, problem, EXPORTED));
            }
        }
        Ok(())
    }

    /// The queries of rules and panels.
    fn queries(&mut self) -> Result<(), String> {
        for query in queries(self.expected, Some(self.job)) {
            let subject = query.to_string();
            let Some(series) = self.count(&self.selected(&query), &subject)? else { continue };
            let empty = || "the result is empty".to_owned();
            let (problem, advice) = match (query.place, series) {
                (QueryPlace::RecordingRule, 0) => (empty(), EMPTY_RULE),
                (QueryPlace::Dashboard, 0) => (empty(), EMPTY_PANEL),
                (QueryPlace::Alert, 1..) if !is_heartbeat(&query) => {
                    (format!("the condition holds for {series} series"), FIRING)
                }
                _ => continue,
            };
            let finding =
                BotFinding::new(FindingLevel::Information, Check::Prometheus, subject, problem, advice);
            // A panel may have several queries.
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        Ok(())
    }

    /// The query of a panel as Grafana asks it if the bot's job and all other values are selected.
    fn selected(&self, query: &Query) -> String {
        if query.place != QueryPlace::Dashboard {
            return query.expr.clone();
        }
        let expr = query.expr.replace("job=~\"$job\"", &self.job()).replace("$__rate_interval", "5m");
        expr.split("=~\"$").enumerate().fold(String::new(), |text, (index, part)| {
            let rest = if index == 0 { part } else { part.split_once('"').map_or("", |(_, rest)| rest) };
            let all = if index == 0 { "" } else { "=~\".*\"" };
            text + all + rest
        })
    }

    /// The number of series in a result; `None` if the query is refused, which is a finding about the subject. `Err` if
    /// Prometheus does not answer.
    fn count(&mut self, query: &str, subject: &str) -> Result<Option<usize>, String> {
        self.ask(query, subject).map(|series| series.map(|series| series.len()))
    }

    /// The series in a result, in the same way.
    fn ask(&mut self, query: &str, subject: &str) -> Result<Option<Vec<Value>>, String> {
        let url = format!("{}/api/v1/query", self.url);
        let mut request = self.client.agent(0).get(&url).query("query", query);
        if let Some(authorization) = self.client.authorization() {
            request = request.header("Authorization", authorization);
        }
        let answer =
            request.call().and_then(|mut answer| Ok((answer.status(), answer.body_mut().read_to_string()?)));
        let explain = |cause| explained(&cause, self.client.timeout(), "Prometheus");
        let (status, text) = answer.map_err(explain)?;
        match serde_json::from_str(&text) {
            Ok(QueryAnswer { data: Some(data), .. }) => Ok(Some(data.result)),
            Ok(QueryAnswer { error: Some(error), .. }) => {
                self.violation(subject, format!("Prometheus refuses the query: {}", shown(&error)), REFUSED);
                Ok(None)
            }
            _ => Err(format!("the answer has the status {status}, and is none of Prometheus'")),
        }
    }

    fn violation(&mut self, subject: &str, problem: impl Into<String>, advice: &'static str) {
        self.findings.push(BotFinding::violation(Check::Prometheus, subject, problem, advice));
    }
}

/// A family's series that has one sample for each of its label sets.
fn counted(family: &LinkedFamily) -> String {
    if family.kind == Kind::Histogram { format!("{}_count", family.name) } else { family.name.clone() }
}

/// Whether an alert always fires, which proves that alerts arrive.
fn is_heartbeat(query: &Query) -> bool {
    query.name == WATCHDOG
}
