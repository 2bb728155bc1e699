//! The scenarios of the alerts and the recorded values, as `promtool test rules` reads them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::alerts::{Alert, Moment, Scenario, areas};
use super::context::RuleContext;
use super::promql::equal;
use super::recorded_values::{RecordedValues, recorded_values};
use super::rules::{Annotations, annotations, rule_file};
use super::scale::{MINUTE, TimeScale};
use crate::exposition::lines::bound_spellings;

/// A file of tests.
#[derive(Debug, Serialize)]
pub(super) struct TestFile {
    rule_files: [&'static str; 1],
    evaluation_interval: String,
    /// Without it promtool evaluates the groups in any order, and an alert may read the recording of a minute ago.
    group_eval_order: Vec<String>,
    tests: Vec<Test>,
}

#[derive(Debug, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are promtool's")]
struct Test {
    name: String,
    interval: String,
    input_series: Vec<InputSeries>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alert_rule_test: Vec<AlertTest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    promql_expr_test: Vec<ExpressionTest>,
}

#[derive(Debug, Serialize)]
struct InputSeries {
    series: String,
    values: String,
}

#[derive(Debug, Serialize)]
struct AlertTest {
    eval_time: String,
    alertname: &'static str,
    exp_alerts: Vec<ExpectedAlert>,
}

#[derive(Debug, Serialize)]
struct ExpectedAlert {
    exp_labels: BTreeMap<String, String>,
    exp_annotations: Annotations,
}

#[derive(Debug, Serialize)]
struct ExpressionTest {
    expr: String,
    eval_time: String,
    exp_samples: Vec<ExpectedSample>,
}

#[derive(Debug, Serialize)]
struct ExpectedSample {
    labels: String,
    value: f64,
}

/// The tests of all rules. Where an alert fires because of buckets whose bounds the text format and OpenMetrics spell
/// differently, it is tested in both. Wherever one fires, a bot of another job has the same series.
/// With `long`, also of scenarios that last for days.
pub(super) fn test_file(context: &RuleContext<'_>, runbook_url: &str, long: bool) -> TestFile {
    let mut tests = Vec::new();
    for values in recorded_values(context).into_iter().filter(|values| long || !values.scenario.is_long) {
        let scenario = values.scenario.clone().beside_another_job(context.job);
        tests.extend(in_both_spellings(&scenario, |scenario| recorded(&values, scenario)));
    }
    for alert in areas(context).iter().flat_map(|area| &area.alerts) {
        for scenario in alert.scenarios.iter().filter(|scenario| long || !scenario.is_long) {
            let mut scenario = scenario.clone();
            if scenario.has_alerts() {
                scenario = scenario.beside_another_job(context.job);
            }
            tests.extend(in_both_spellings(&scenario, |scenario| test(alert, scenario, runbook_url)));
        }
    }
    let groups = rule_file(context, runbook_url).groups;
    TestFile {
        rule_files: ["rules.yml"],
        evaluation_interval: duration(MINUTE),
        group_eval_order: groups.into_iter().map(|group| group.name).collect(),
        tests,
    }
}

fn duration(seconds: u64) -> String {
    TimeScale::NONE.duration(seconds)
}

fn in_both_spellings(scenario: &Scenario, test: impl Fn(&Scenario) -> Test) -> Vec<Test> {
    let mut openmetrics = scenario.clone();
    openmetrics.title.push_str(", in OpenMetrics");
    for (name, _) in &mut openmetrics.series {
        *name = in_openmetrics(name);
    }
    let is_decisive = scenario.has_alerts() || scenario.moments.is_empty();
    let differ = openmetrics.series != scenario.series && is_decisive;
    [Some(scenario), differ.then_some(&openmetrics)].into_iter().flatten().map(test).collect()
}

/// The series in OpenMetrics, which spells some bounds in another way.
fn in_openmetrics(series: &str) -> String {
    let spelled = || {
        let (before, rest) = series.split_once("le=\"")?;
        let (bound, after) = rest.split_once('"')?;
        let [_, openmetrics] = bound_spellings(bound.parse().ok()?);
        Some(format!("{before}{}{after}", equal("le", &openmetrics)))
    };
    spelled().unwrap_or_else(|| series.to_owned())
}

fn input(scenario: &Scenario) -> Vec<InputSeries> {
    let series = scenario.series.iter().cloned();
    series.map(|(series, values)| InputSeries { series, values }).collect()
}

fn test(alert: &Alert, scenario: &Scenario, runbook_url: &str) -> Test {
    let texts = annotations(alert, runbook_url);
    let moments = scenario.moments.iter().map(|moment| AlertTest {
        eval_time: duration(moment.at),
        alertname: alert.name,
        exp_alerts: firing(moment, &texts),
    });
    Test {
        name: format!("{}: {}", alert.name, scenario.title),
        interval: duration(scenario.step),
        input_series: input(scenario),
        alert_rule_test: moments.collect(),
        ..Test::default()
    }
}

fn firing(moment: &Moment, texts: &Annotations) -> Vec<ExpectedAlert> {
    let alerts = moment.firing.iter().map(|labels| ExpectedAlert {
        // As Prometheus expands them.
        exp_annotations: texts.with(|label| labels.get(label).cloned().unwrap_or_default()),
        exp_labels: labels.clone(),
    });
    alerts.collect()
}

fn recorded(values: &RecordedValues, scenario: &Scenario) -> Test {
    let expected = values.values.iter().map(|(name, sample)| ExpressionTest {
        // Binary fractions are not exact.
        expr: format!("round({name}, 0.0001)"),
        eval_time: duration(values.minute * MINUTE),
        exp_samples: sample
            .iter()
            .map(|(labels, value)| ExpectedSample { labels: labels.clone(), value: *value })
            .collect(),
    });
    Test {
        name: format!("{}: {}", values.family, scenario.title),
        interval: duration(scenario.step),
        input_series: input(scenario),
        promql_expr_test: expected.collect(),
        ..Test::default()
    }
}
