//! The generated rules, tests and configurations, as Prometheus' own programs judge them.

use std::fs;
use std::process::Command;

use bot_metrics::{Families, Settings};
use libtest_mimic::Failed;
use promql_parser::parser::Expr;
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::Value;

use crate::desk::{settings, text};
use crate::process::{Directory, is_long};
use crate::scenarios;

/// Rules and their tests are valid and agree; the long version tests the files as they are.
pub(crate) fn tested() -> Result<(), Failed> {
    let directory = Directory::new();
    write(&directory, &settings())?;
    promtool(&directory, &["check", "rules", "rules.yml"])?;
    if !is_long() {
        return scenarios::pass(&settings());
    }
    promtool(&directory, &["test", "rules", "rule-tests.yml"])?;
    Ok(())
}

/// Likewise if the name of the app, and so of the job, has to be escaped.
pub(crate) fn escaped() -> Result<(), Failed> {
    let directory = Directory::new();
    write(&directory, &settings().app(ESCAPED))?;
    promtool(&directory, &["check", "rules", "rules.yml"])?;
    let file = directory.path().join("rule-tests.yml");
    let mut tests: Value = serde_saphyr::from_str(&fs::read_to_string(&file)?)?;
    let all = tests["tests"].as_array_mut().ok_or("tests")?;
    // All would take minutes.
    let alerts = ["BotDown: ", "BotMissing: ", "BotRestartLoop: "];
    all.retain(|test| {
        alerts.iter().any(|alert| test["name"].as_str().is_some_and(|name| name.starts_with(alert)))
    });
    if all.len() < 10 {
        return Err(format!("only {} tests", all.len()).into());
    }
    // JSON is YAML.
    fs::write(file, tests.to_string())?;
    promtool(&directory, &["test", "rules", "rule-tests.yml"])?;
    Ok(())
}

const ESCAPED: &str = r#"the "other" bot \ `2`, {{ }}: #1"#;

fn variants() -> [Settings; 2] {
    [settings(), settings().namespace("my_bot").app(ESCAPED).families(Families::CoreOnly)]
}

pub(crate) fn write(directory: &Directory, settings: &Settings) -> Result<(), Failed> {
    for (file, command) in [
        ("rules.yml", "rules"),
        ("rule-tests.yml", "rule-tests"),
        ("prometheus.yml", "scrape-config"),
        ("alertmanager.yml", "alertmanager"),
    ] {
        fs::write(directory.path().join(file), text(&[command], settings)?)?;
    }
    Ok(())
}

/// Also the rules of a demonstration, whose windows are short.
pub(crate) fn configured() -> Result<(), Failed> {
    let directory = Directory::new();
    write(&directory, &settings())?;
    promtool(&directory, &["check", "config", "prometheus.yml"])?;
    for factor in ["7", "60", "3600"] {
        fs::write(
            directory.path().join("rules.yml"),
            text(&["rules", "--time-scale", factor], &settings())?,
        )?;
        promtool(&directory, &["check", "rules", "rules.yml"])?;
    }
    Ok(())
}

/// The Alertmanager's own program accepts its configuration.
pub(crate) fn delivered() -> Result<(), Failed> {
    let directory = Directory::new();
    write(&directory, &settings())?;
    checked(Command::new("amtool").args(["check-config", "alertmanager.yml"]), &directory)?;
    for (labels, receiver) in [
        (&["alertname=BotDown", "severity=critical"][..], "pager"),
        (&["alertname=BotDown", "severity=warning", "mode=paper"], "chat"),
        (&["alertname=BotLabelOverflow", "severity=info", "mode=live"], "chat"),
        (&["alertname=BotCriticalEvent", "severity=critical", "mode=paper"], "chat"),
        (&["alertname=Watchdog", "severity=none"], "heartbeat"),
    ] {
        let mut routes = Command::new("amtool");
        routes.args(["config", "routes", "test", "--config.file=alertmanager.yml"]).args(labels);
        let found = checked(&mut routes, &directory)?;
        if found.trim() != receiver {
            return Err(format!("{labels:?} goes to {found}").into());
        }
    }
    Ok(())
}

/// A second program reads the rules.
pub(crate) fn read_by_vmalert() -> Result<(), Failed> {
    for settings in variants() {
        let directory = Directory::new();
        write(&directory, &settings)?;
        checked(Command::new("vmalert").args(["-dryRun", "-rule=rules.yml"]), &directory)?;
    }
    Ok(())
}

/// A second reader of each expression.
pub(crate) fn parsed() -> Result<(), Failed> {
    for settings in variants() {
        let rules = exprs(&text(&["rules"], &settings)?)?;
        if rules.len() < 20 {
            return Err(format!("only {} rules", rules.len()).into());
        }
        for expr in rules {
            promql_parser::parser::parse(&expr).map_err(|error| format!("{expr}: {error}"))?;
        }
    }
    Ok(())
}

/// Each selector of a rule names the bot's job, so that another bot in the same Prometheus is not judged by it.
pub(crate) fn of_one_job() -> Result<(), Failed> {
    for settings in variants().into_iter().chain([settings().default_labels_in_target_info()]) {
        for expr in exprs(&text(&["rules", "--job", JOB], &settings)?)? {
            let mut selectors = Selectors::default();
            let parsed = promql_parser::parser::parse(&expr)?;
            walk_expr(&mut selectors, &parsed).map_err(|error| format!("{expr}: {error}"))?;
            if selectors.count == 0 {
                return Err(format!("{expr} has no selector").into());
            }
        }
    }
    Ok(())
}

/// The name of a job that differs from the app.
const JOB: &str = "desks";

/// The number of selectors that name the job.
#[derive(Default)]
struct Selectors {
    count: usize,
}

impl ExprVisitor for Selectors {
    type Error = String;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, String> {
        let selector = match expr {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(range) => &range.vs,
            _ => return Ok(true),
        };
        let mut matchers = selector.matchers.matchers.iter();
        if !matchers.any(|matcher| matcher.name == "job" && matcher.value == JOB) {
            return Err(format!("{:?} selects series of every job", selector.name));
        }
        self.count += 1;
        Ok(true)
    }
}

fn exprs(rules: &str) -> Result<Vec<String>, Failed> {
    let rules: Value = serde_saphyr::from_str(rules)?;
    let groups = rules["groups"].as_array().ok_or("groups")?;
    let rules = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
    Ok(rules.filter_map(|rule| rule["expr"].as_str().map(str::to_owned)).collect())
}

/// Runs promtool, which must be content.
fn promtool(directory: &Directory, arguments: &[&str]) -> Result<String, Failed> {
    checked(Command::new("promtool").args(arguments), directory)
}

fn checked(command: &mut Command, directory: &Directory) -> Result<String, Failed> {
    let output = command.current_dir(directory.path()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr)).into())
    }
}
