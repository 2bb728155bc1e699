//! Deliberate faults in the generated rules, which their tests have to notice.
//!
//! A long test: `BOT_METRICS_LONG_TESTS=1` tries every fault and prints those that go unnoticed; with `FAULT_STEP=20` only
//! one in twenty is tried.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};
use std::thread;

use bot_metrics::Settings;
use libtest_mimic::Failed;
use serde_json::{Value, json};

use crate::desk::{settings, text};
use crate::process::Directory;

/// The part of the faults that the tests must notice.
const NOTICED: f64 = 0.95;

/// At least this part of the faults is noticed.
pub(crate) fn noticed() -> Result<(), Failed> {
    let suite = Suite::of(&settings())?;
    let all = suite.mutants();
    let step = std::env::var("FAULT_STEP").ok().and_then(|step| step.parse().ok()).unwrap_or(1);
    let tried: Vec<_> = all.iter().step_by(step).collect();
    let unnoticed = in_halves(&tried, |half| suite.unnoticed(half))?;
    let unnoticed: Vec<_> = unnoticed.into_iter().flatten().collect();
    println!("{} of {} faults tried, {} unnoticed", tried.len(), all.len(), unnoticed.len());
    for mutant in &unnoticed {
        println!("unnoticed: {}: {}\n{}\n", suite.name(mutant.rule), mutant.fault, mutant.expr);
    }
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    let part = 1.0 - unnoticed.len() as f64 / tried.len() as f64;
    if part < NOTICED { Err(format!("only {part:.3} of the faults are noticed").into()) } else { Ok(()) }
}

/// Every rule passes its tests. Those of a rule are run with the rules alone that it needs, because promtool evaluates all
/// rules of a file for every minute of each test.
pub(crate) fn passed() -> Result<(), Failed> {
    let suite = Suite::of(&settings())?;
    // The rules of an alert have one name, and are tested together.
    let mut names = BTreeSet::new();
    let rules: Vec<_> = (0..suite.rules.len()).filter(|rule| names.insert(suite.name(*rule))).collect();
    in_halves(&rules, |half| suite.all_pass(half)).map(drop)
}

/// Works on both halves of a list at the same time.
fn in_halves<T: Sync, R: Send>(
    list: &[T],
    work: impl Fn(&[T]) -> Result<R, Failed> + Sync,
) -> Result<Vec<R>, Failed> {
    thread::scope(|scope| {
        let halves = list.chunks(list.len().div_ceil(2).max(1));
        let halves: Vec<_> = halves.map(|half| scope.spawn(|| work(half))).collect();
        halves.into_iter().map(|half| half.join().expect("no panic")).collect()
    })
}

fn flat(rules: &Value) -> Vec<Value> {
    let groups = rules["groups"].as_array().into_iter().flatten();
    groups.filter_map(|group| group["rules"].as_array()).flatten().cloned().collect()
}

struct Suite {
    rules: Vec<Value>,
    tests: Vec<Value>,
}

/// A rule with a fault.
#[derive(Clone, Debug)]
struct Mutant {
    rule: usize,
    fault: String,
    expr: String,
}

impl Suite {
    /// These rules pass their tests.
    fn all_pass(&self, rules: &[usize]) -> Result<(), Failed> {
        for &rule in rules {
            let tested = self.test(rule, self.expr(rule))?;
            if !tested.status.success() {
                let said = [tested.stdout, tested.stderr].concat();
                return Err(format!("{}: {}", self.name(rule), String::from_utf8_lossy(&said)).into());
            }
        }
        Ok(())
    }

    fn of(settings: &Settings) -> Result<Self, Failed> {
        let rules: Value = serde_saphyr::from_str(&text(&["rules"], settings)?)?;
        let tests: Value = serde_saphyr::from_str(&text(&["rule-tests"], settings)?)?;
        Ok(Self { rules: flat(&rules), tests: tests["tests"].as_array().ok_or("tests")?.clone() })
    }

    fn expr(&self, rule: usize) -> &str {
        self.rules[rule]["expr"].as_str().unwrap_or_default()
    }

    fn name(&self, rule: usize) -> &str {
        let rule = &self.rules[rule];
        rule["alert"].as_str().or(rule["record"].as_str()).unwrap_or_default()
    }

    fn mutants(&self) -> Vec<Mutant> {
        let rules = 0..self.rules.len();
        rules
            .flat_map(|rule| {
                let mutants = mutants(self.expr(rule)).into_iter();
                mutants.map(move |(fault, expr)| Mutant { rule, fault, expr })
            })
            .filter(|mutant| promql_parser::parser::parse(&mutant.expr).is_ok())
            .collect()
    }

    /// The faults that the tests do not notice.
    fn unnoticed(&self, mutants: &[&Mutant]) -> Result<Vec<Mutant>, Failed> {
        let mut unnoticed = Vec::new();
        let mut sound = None;
        for mutant in mutants {
            if sound != Some(mutant.rule) {
                if !self.passes(mutant.rule, self.expr(mutant.rule))? {
                    return Err(format!("{} fails without a fault", self.name(mutant.rule)).into());
                }
                sound = Some(mutant.rule);
            }
            if self.passes(mutant.rule, &mutant.expr)? {
                unnoticed.push((*mutant).clone());
            }
        }
        Ok(unnoticed)
    }

    /// Whether the tests of a rule pass if it has this expression.
    fn passes(&self, mutated: usize, expr: &str) -> Result<bool, Failed> {
        Ok(self.test(mutated, expr)?.status.success())
    }

    /// Runs the tests of a rule, and of those that use it, with this expression of the rule.
    fn test(&self, mutated: usize, expr: &str) -> Result<Output, Failed> {
        let name = self.name(mutated);
        let depends = |rule: &usize| self.name(*rule) == name || self.expr(*rule).contains(name);
        let users: Vec<_> = (0..self.rules.len()).filter(depends).map(|rule| self.name(rule)).collect();
        let of_users = |test: &&Value| {
            let title = test["name"].as_str().unwrap_or_default();
            let of = |name: &str| title.strip_prefix(name).is_some_and(|rest| rest.starts_with(": "));
            // The values of a recording are tested under its family, the part between the colons.
            users.iter().any(|user| of(user) || recorded_family(user).is_some_and(of))
        };
        // The values of all recordings of a family are tested together.
        let family = recorded_family(name);
        let needed = |rule: &usize| {
            let is_of_family = family.is_some() && recorded_family(self.name(*rule)) == family;
            users.contains(&self.name(*rule))
                || is_of_family
                || self.is_recording(*rule) && self.is_used(&users, *rule)
        };
        let rules = (0..self.rules.len()).filter(needed).map(|rule| {
            let mut written = self.rules[rule].clone();
            if rule == mutated {
                written["expr"] = expr.into();
            }
            written
        });
        let rules = json!({"groups": [{"name": "rules", "rules": rules.collect::<Vec<_>>()}]});
        let tests: Vec<_> = self.tests.iter().filter(of_users).collect();
        let tests = json!({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests});
        let directory = Directory::new();
        // JSON is YAML.
        fs::write(directory.path().join("rules.yml"), rules.to_string())?;
        fs::write(directory.path().join("tests.yml"), tests.to_string())?;
        let mut promtool = Command::new("promtool");
        Ok(promtool.args(["test", "rules", "tests.yml"]).current_dir(directory.path()).output()?)
    }

    fn is_recording(&self, rule: usize) -> bool {
        self.rules[rule]["record"].is_string()
    }

    /// Whether one of these rules reads the recording.
    fn is_used(&self, users: &[&str], recording: usize) -> bool {
        let name = self.name(recording);
        (0..self.rules.len()).any(|rule| users.contains(&self.name(rule)) && self.expr(rule).contains(name))
    }
}

/// The family that is recorded under this name, `level:family:operations`, under which its values are tested.
fn recorded_family(name: &str) -> Option<&str> {
    name.split(':').nth(1).map(|family| family.trim_end_matches("_count"))
}

/// The faulty versions of an expression: another operator, threshold, window or label, and a match on all labels.
fn mutants(expr: &str) -> Vec<(String, String)> {
    let mut mutants = Vec::new();
    let mut replace = |at: usize, old: &str, new: &str| {
        let mutant = format!("{}{new}{}", &expr[..at], &expr[at + old.len()..]);
        mutants.push((format!("`{}` becomes `{new}`", old.trim()), mutant));
    };
    for (old, new) in [
        (" > ", " < "),
        (" < ", " > "),
        (" == ", " != "),
        (" != ", " == "),
        (" >= ", " < "),
        (" <= ", " > "),
        (" - ", " + "),
        (" / ", " * "),
        ("and ", "unless "),
        ("unless ", "and "),
        ("or ", "and "),
        ("on (job, instance) ", ""),
    ] {
        for (at, _) in expr.match_indices(old) {
            let begins_word = at == 0 || !expr.as_bytes()[at - 1].is_ascii_alphanumeric();
            if begins_word || old.starts_with(' ') {
                replace(at, old, new);
            }
        }
    }
    for (at, word) in words(expr) {
        if let Some(digits) = word
            .strip_suffix(['d', 'h', 'm', 's'])
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        {
            let (unit, number) = (&word[digits.len()..], digits.parse::<u64>().unwrap_or(1));
            replace(at, word, &format!("{}{unit}", number * 2));
            let seconds = number
                * match unit {
                    "d" => 86_400,
                    "h" => 3_600,
                    "m" => 60,
                    _ => 1,
                };
            replace(at, word, &format!("{}s", seconds / 2));
        } else if let Ok(number) = word.parse::<f64>() {
            for new in if number == 0.0 { vec![-1.0] } else { vec![number * 2.0, number / 2.0] } {
                replace(at, word, &new.to_string());
            }
        }
    }
    for (at, _) in expr.match_indices("=\"").chain(expr.match_indices("=~\"")) {
        let value = at + expr[at..].find('"').unwrap_or(0) + 1;
        let end = value + expr[value..].find('"').unwrap_or(0);
        replace(value, &expr[value..end], "mutated");
        let begin = expr[..at].rfind(['{', ',']).map_or(at, |begin| begin + 1);
        let comma = usize::from(expr[end + 1..].starts_with(','));
        replace(begin, &expr[begin..end + 1 + comma], "");
    }
    mutants
}

/// The numbers and durations of an expression with their places, outside quotes and names.
fn words(expr: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut quoted = false;
    let mut begin = None;
    for (at, c) in expr.char_indices().chain([(expr.len(), ' ')]) {
        let of_word = !quoted && (c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':'));
        quoted ^= c == '"';
        match (begin, of_word) {
            (None, true) => begin = Some(at),
            (Some(start), false) => {
                words.push((start, &expr[start..at]));
                begin = None;
            }
            _ => {}
        }
    }
    words.retain(|(_, word)| word.starts_with(|c: char| c.is_ascii_digit()));
    words
}
