//! `doctor` on the paper bot and on a Prometheus that scrapes it.

use bot_metrics_tests::paper_bot::{command, run, start};
use libtest_mimic::Failed;
use serde_json::Value;

use crate::dashboard;
use crate::process::Directory;
use crate::prometheus::Prometheus;

/// A bot that is well has no violation, and each query of the rules and panels is answered; a wrong job is one violation.
pub(crate) fn content() -> Result<(), Failed> {
    let bot = start(&[]);
    let directory = Directory::new();
    let prometheus = Prometheus::with_rules(bot.url(), &dashboard::rules(&directory)?)?;
    let committed = "count(bytelyst_bot_reconciliation_missing_items_count) == 2";
    prometheus.wait_for(committed, |found| !found.is_empty())?;
    let doctor = |words: &[&str]| {
        let usual = ["metrics", "doctor", bot.url(), "--prometheus", prometheus.url(), "--json"];
        run(&mut command(&[&usual, words].concat()))
    };
    let right = doctor(&["--job", "bot"]);
    let report: Value = serde_json::from_str(&right.stdout)?;
    let violations = texts(&report, "violation");
    if right.status.code() != Some(0) || !violations.is_empty() {
        return Err(format!("{violations:#?}").into());
    }
    let empty: Vec<_> =
        texts(&report, "information").into_iter().filter(|text| text.starts_with("panel Now")).collect();
    if !empty.is_empty() {
        return Err(format!("{empty:#?}").into());
    }
    let wrong = doctor(&["--only", "prometheus"]);
    let report: Value = serde_json::from_str(&wrong.stdout)?;
    let expected = "job bytelyst-trading-bot-service: Prometheus has no target of this job; it has series of such a bot \
                    under bot";
    if wrong.status.code() != Some(1) || texts(&report, "violation") != [expected] {
        return Err(wrong.stdout.into());
    }
    Ok(())
}

/// The subjects and problems of the findings of a level.
fn texts(report: &Value, level: &str) -> Vec<String> {
    let findings =
        report["findings"].as_array().into_iter().flatten().filter(|finding| finding["level"] == level);
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    findings.map(|finding| format!("{}: {}", text(finding, "subject"), text(finding, "problem"))).collect()
}
