//! Whether a Prometheus has the bot's series, and answers the queries of the rules.

use serde::Deserialize;
use serde_json::Value;

use super::finding::{BotFinding, Check, FindingLevel};
use super::use_marks::is_created_by_use;
use crate::catalogue::Kind;
use crate::client::{HttpClient, explained};
use crate::linked::{LinkedCatalogue, LinkedFamily};
use crate::operations::queries::{Query, QueryPlace, queries};
use crate::shown::shown;

const UNREACHABLE: &str = "Check the address of Prometheus and its credentials.";

const NO_SERIES: &str = "Check on Prometheus' page Targets that the bot is scraped, and that no relabelling drops the \
                         family.";

const EXPORTED: &str = "The target has a label of the same name, and Prometheus renamed the bot's. Set honor_labels: true in \
                        the scrape configuration.";

const REFUSED: &str =
    "The rule cannot be evaluated. Write the rules again with `metrics rules` of the running release.";

const EMPTY: &str =
    "Nothing was recorded within the window of the rule, or Prometheus does not have its series.";

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

/// A Prometheus, and a client for it.
struct QueriedServer<'a> {
    client: &'a HttpClient,
    url: &'a str,
}

/// Why a query has no result.
enum QueryFailure {
    /// No further query would have one.
    Unreachable(String),
    Refused(String),
}

impl QueriedServer<'_> {
    /// The number of series in the result of a query.
    fn count(&self, query: &str) -> Result<usize, QueryFailure> {
        let url = format!("{}/api/v1/query", self.url);
        let mut request = self.client.agent(0).get(&url).query("query", query);
        if let Some(authorization) = self.client.authorization() {
            request = request.header("Authorization", authorization);
        }
        let answer =
            request.call().and_then(|mut answer| Ok((answer.status(), answer.body_mut().read_to_string()?)));
        let unreachable = |cause: ureq::Error| {
            QueryFailure::Unreachable(explained(&cause, self.client.timeout(), "Prometheus"))
        };
        let (status, text) = answer.map_err(unreachable)?;
        match serde_json::from_str(&text) {
            Ok(QueryAnswer { data: Some(data), .. }) => Ok(data.result.len()),
            Ok(QueryAnswer { error: Some(error), .. }) => {
                Err(QueryFailure::Refused(shown(&error).to_string()))
            }
            _ => Err(QueryFailure::Unreachable(format!(
                "the answer has the status {status}, and is none of Prometheus'"
            ))),
        }
    }
}

/// Checks the series and rules of the expected families.
pub(super) fn check(client: &HttpClient, url: &str, expected: &LinkedCatalogue) -> Vec<BotFinding> {
    let server = QueriedServer { client, url };
    let mut findings = Vec::new();
    let result = families(&server, expected, &mut findings)
        .and_then(|()| renamed_labels(&server, expected, &mut findings))
        .and_then(|()| rules(&server, expected, &mut findings));
    if let Err(problem) = result {
        findings.push(BotFinding::violation(Check::Prometheus, url, problem, UNREACHABLE));
    }
    findings
}

/// A family's series that has one sample for each of its label sets.
fn counted(family: &LinkedFamily) -> String {
    if family.kind == Kind::Histogram { format!("{}_count", family.name) } else { family.name.clone() }
}

fn families(
    server: &QueriedServer<'_>,
    expected: &LinkedCatalogue,
    findings: &mut Vec<BotFinding>,
) -> Result<(), String> {
    for family in expected.families.iter().filter(|family| !is_created_by_use(family, expected)) {
        if count(server, &counted(family), &family.name, findings)? == Some(0) {
            let problem = "Prometheus has no series of it";
            findings.push(BotFinding::violation(Check::Prometheus, &family.name, problem, NO_SERIES));
        }
    }
    Ok(())
}

/// Labels of the bot that Prometheus renamed to `exported_…`.
fn renamed_labels(
    server: &QueriedServer<'_>,
    expected: &LinkedCatalogue,
    findings: &mut Vec<BotFinding>,
) -> Result<(), String> {
    let of_families = expected.families.iter().flat_map(|family| &family.labels).map(|label| &label.name);
    let mut labels: Vec<_> = expected.default_labels.keys().chain(of_families).collect();
    labels.sort_unstable();
    labels.dedup();
    for label in labels {
        let query = format!("{{__name__=~\"{}_.+\", exported_{label}!=\"\"}}", expected.namespace);
        if let Some(series @ 1..) = count(server, &query, label, findings)? {
            let problem = format!("{series} series have the label exported_{label} instead");
            findings.push(BotFinding::violation(Check::Label, label, problem, EXPORTED));
        }
    }
    Ok(())
}

fn rules(
    server: &QueriedServer<'_>,
    expected: &LinkedCatalogue,
    findings: &mut Vec<BotFinding>,
) -> Result<(), String> {
    for query in queries(expected) {
        let subject = query.to_string();
        let Some(series) = count(server, &query.expr, &subject, findings)? else { continue };
        let finding = |level, problem: String, advice| {
            BotFinding::new(level, Check::Prometheus, &subject, problem, advice)
        };
        findings.extend(match (query.place, series) {
            (QueryPlace::RecordingRule, 0) => {
                Some(finding(FindingLevel::Information, "the result is empty".to_owned(), EMPTY))
            }
            (QueryPlace::Alert, 1..) if !is_heartbeat(&query) => Some(finding(
                FindingLevel::Information,
                format!("the condition holds for {series} series"),
                FIRING,
            )),
            _ => None,
        });
    }
    Ok(())
}

/// Whether an alert always fires, which proves that alerts arrive.
fn is_heartbeat(query: &Query) -> bool {
    query.expr == "vector(1)"
}

/// The number of series in a result; `None` if the query is refused, which is a finding about the subject. `Err` if
/// Prometheus does not answer.
fn count(
    server: &QueriedServer<'_>,
    query: &str,
    subject: &str,
    findings: &mut Vec<BotFinding>,
) -> Result<Option<usize>, String> {
    match server.count(query) {
        Ok(series) => Ok(Some(series)),
        Err(QueryFailure::Refused(error)) => {
            let problem = format!("Prometheus refuses the query: {error}");
            findings.push(BotFinding::violation(Check::Prometheus, subject, problem, REFUSED));
            Ok(None)
        }
        Err(QueryFailure::Unreachable(problem)) => Err(problem),
    }
}
