//! The queries of the generated dashboard, asked of a Prometheus that scrapes the paper bot.

use std::fs;
use std::path::PathBuf;

use bot_metrics::Families;
use bot_metrics_tests::paper_bot::{command, run, start};
use libtest_mimic::Failed;
use promql_parser::parser;
use serde_json::Value;

use crate::desk::{settings, text};
use crate::process::{Directory, eventually};
use crate::prometheus::Prometheus;

/// Faults that fill the panels: of capital, reconciliation, the exchange, the strategy and the market data.
const FAULTS: [&str; 6] = [
    "negative-capital@10s",
    "orphan-order@5s+20s",
    "rate-limit@25s+3s",
    "server-error@30s+3s",
    "panic-monitor@35s+3s",
    "slow-exchange@40s+10s",
];

/// A query of the dashboard as Grafana asks it if all values of the variables are selected.
struct SelectedQuery {
    place: String,
    expr: String,
}

/// Each query has a result while the bot has faults.
pub(crate) fn has_data() -> Result<(), Failed> {
    let directory = Directory::new();
    let arguments: Vec<_> =
        ["--speed", "10"].into_iter().chain(FAULTS.iter().flat_map(|fault| ["--fault", fault])).collect();
    let bot = start(&arguments);
    let prometheus = Prometheus::with_rules(bot.url(), &rules(&directory)?)?;
    let queries = selected(&run(&mut command(&["metrics", "dashboard"])).stdout)?;
    let mut waiting: Vec<_> = queries.iter().collect();
    eventually("each query has a result", || {
        // Some results appear and disappear with the faults.
        let mut left = Vec::new();
        for query in &waiting {
            let found = prometheus.query(&query.expr).map_err(|error| format!("{}: {error}", query.place))?;
            // Without observations a quantile is not a number.
            let has_data = found.iter().any(|(_, value)| !value.is_nan());
            left.extend((!has_data).then_some(*query));
        }
        waiting = left;
        let places: Vec<_> = waiting.iter().map(|query| format!("{}: {}", query.place, query.expr)).collect();
        if places.is_empty() { Ok(()) } else { Err(format!("no result:\n{}", places.join("\n"))) }
    })
    .map_err(Failed::from)
}

/// A file with the rules of the paper bot as the job `bot`, whose windows are seconds.
pub(crate) fn rules(directory: &Directory) -> Result<PathBuf, Failed> {
    let path = directory.path().join("rules.yml");
    fs::write(&path, run(&mut command(&["metrics", "rules", "--time-scale", "60", "--job", "bot"])).stdout)?;
    Ok(path)
}

/// A second parser reads each query, of a bot with every kind of family and of one with the core families alone.
pub(crate) fn parsed() -> Result<(), Failed> {
    for settings in [
        settings(),
        settings().namespace("my_bot").families(Families::CoreOnly),
        settings().default_labels_in_target_info(),
    ] {
        let queries = selected(&text(&["dashboard"], &settings)?)?;
        if queries.len() < 20 {
            return Err(format!("only {} queries", queries.len()).into());
        }
        for SelectedQuery { place, expr } in queries {
            parser::parse(&expr).map_err(|error| format!("{place}: {error}: {expr}"))?;
        }
    }
    Ok(())
}

/// The queries of targets, annotations and variables.
fn selected(dashboard: &str) -> Result<Vec<SelectedQuery>, Failed> {
    let dashboard: Value = serde_json::from_str(dashboard)?;
    let mut queries = Vec::new();
    let mut row = "";
    for panel in list(&dashboard["panels"]) {
        let title = word(&panel["title"]);
        if panel["type"] == "row" {
            row = title;
        }
        for target in list(&panel["targets"]) {
            queries.push((format!("{row} / {title} {}", word(&target["refId"])), word(&target["expr"])));
        }
    }
    for annotation in list(&dashboard["annotations"]["list"]) {
        queries
            .push((format!("annotation {}", word(&annotation["name"])), word(&annotation["target"]["expr"])));
    }
    for variable in list(&dashboard["templating"]["list"]) {
        let definition = word(&variable["query"]["query"]).strip_prefix("label_values(");
        let series = definition.and_then(|definition| definition.rsplit_once(", "));
        queries.extend(series.map(|(series, _)| (format!("variable {}", word(&variable["name"])), series)));
    }
    let queries = queries.into_iter().map(|(place, expr)| SelectedQuery { place, expr: all_selected(expr) });
    Ok(queries.collect())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Replaces the variables: the interval by one of several scrapes.
fn all_selected(expr: &str) -> String {
    let variables = ["$job", "$instance", "$env", "$mode", "$exchange", "$profile_id"];
    let expr = expr.replace("$__rate_interval", "10s");
    variables.iter().fold(expr, |expr, variable| expr.replace(variable, ".*"))
}
