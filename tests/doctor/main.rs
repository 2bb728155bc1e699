//! `doctor` on a bot that is well, and on endpoints that are broken in one way each.

mod bot;
mod broken;
mod endpoint;
mod prometheus;
mod requests;
mod usage;

use std::collections::BTreeSet;

use bot_metrics::operations::{self, Output};
use serde_json::Value;

use endpoint::{Answer, Endpoint};

/// What `doctor` prints about an endpoint that gives this answer, with these further words.
fn doctor_on(answer: &Answer, words: &[&str]) -> Output {
    let endpoint = Endpoint::that_answers(answer.clone());
    doctor(&[&[endpoint.url().as_str()], words].concat())
}

fn doctor(words: &[&str]) -> Output {
    operations::run(["doctor"].iter().chain(words), &bot::settings())
}

/// A finding: its level, its check, its subject with its problem, and its advice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    level: String,
    check: String,
    text: String,
    advice: String,
}

/// The findings in the JSON that `doctor` printed.
fn findings(output: &Output) -> BTreeSet<Finding> {
    let report: Value =
        serde_json::from_str(&output.text).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let findings = report["findings"].as_array().expect("a list").iter();
    let text = |finding: &Value, field: &str| finding[field].as_str().expect("a text").to_owned();
    findings
        .map(|finding| Finding {
            level: text(finding, "level"),
            check: text(finding, "check"),
            text: format!("{}: {}", text(finding, "subject"), text(finding, "problem")),
            advice: text(finding, "advice"),
        })
        .collect()
}

/// The findings about an answer in addition to those about the bot's own page, and the exit code.
fn new_findings(answer: &Answer, words: &[&str]) -> (Vec<Finding>, u8) {
    let usual = findings(&doctor_on(&Answer::page(bot::page()), &["--json"]));
    let output = doctor_on(answer, &[&["--json"], words].concat());
    (findings(&output).difference(&usual).cloned().collect(), output.code)
}
