//! The generated rules and their scenarios, run by promtool in parts.
//!
//! promtool evaluates all rules of a file at each step of each scenario. Each rule is therefore tested with the rules
//! alone that it needs, and at the times alone that matter, which takes a tenth of the time for the whole file.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};
use std::thread;

use bot_metrics::{Settings, operations};
use bot_metrics_tests::process::Directory;
use libtest_mimic::Failed;
use serde_json::{Value, json};

/// The time between two evaluations of the rules in the generated file, in seconds.
const MINUTE: u64 = 60;

/// Every rule of a bot with these settings passes its scenarios.
pub(crate) fn pass(settings: &Settings) -> Result<(), Failed> {
    let suite = Suite::of(settings)?;
    let parts = suite.parts(|_| true);
    let parts: Vec<_> = parts.iter().collect();
    let failures = in_halves(&parts, |half| {
        let mut failures = Vec::new();
        for part in half {
            let tested = part.run(|_, expr| expr.to_owned())?;
            if !tested.status.success() {
                failures.push(String::from_utf8_lossy(&[tested.stdout, tested.stderr].concat()).into_owned());
            }
        }
        Ok(failures)
    })?;
    let failures = failures.concat();
    if failures.is_empty() { Ok(()) } else { Err(failures.concat().into()) }
}

/// Works on both halves of a list at the same time: every second element, because neighbours take similar times.
pub(crate) fn in_halves<T: Copy + Send + Sync, R: Send>(
    list: &[T],
    work: impl Fn(&[T]) -> Result<R, Failed> + Sync,
) -> Result<Vec<R>, Failed> {
    let half = |from: usize| list.iter().copied().skip(from).step_by(2).collect::<Vec<_>>();
    let work = &work;
    thread::scope(|scope| {
        let halves = [half(0), half(1)].map(|half| scope.spawn(move || work(&half)));
        halves.into_iter().map(|half| half.join().expect("no panic")).collect()
    })
}

/// The generated rules and scenarios.
pub(crate) struct Suite {
    rules: Vec<Value>,
    tests: Vec<Value>,
}

impl Suite {
    pub(crate) fn of(settings: &Settings) -> Result<Self, Failed> {
        let read = |words: &[&str]| -> Result<Value, Failed> {
            let output = operations::run(words, settings);
            if output.code == 0 {
                Ok(serde_saphyr::from_str(&output.text)?)
            } else {
                Err(output.errors.into())
            }
        };
        let groups = read(&["rules"])?["groups"].take();
        let groups = groups.as_array().into_iter().flatten();
        let rules = groups.filter_map(|group| group["rules"].as_array()).flatten().cloned().collect();
        Ok(Self {
            rules,
            tests: read(&["rule-tests", "--long"])?["tests"].as_array().ok_or("tests")?.clone(),
        })
    }

    /// The number of rules.
    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(crate) fn expr(&self, rule: usize) -> &str {
        self.rules[rule]["expr"].as_str().unwrap_or_default()
    }

    pub(crate) fn name(&self, rule: usize) -> &str {
        let rule = &self.rules[rule];
        rule["alert"].as_str().or(rule["record"].as_str()).unwrap_or_default()
    }

    /// The tests that depend on a rule, in parts of which each has one subject and one time between evaluations: those
    /// first that take the least time.
    pub(crate) fn parts_of(&self, rule: usize) -> Vec<SuitePart> {
        let name = self.name(rule);
        let uses = |subject: &str| self.tested_rules(subject).any(|tested| self.expr(tested).contains(name));
        self.parts(|subject| subject == name || recorded_family(name) == Some(subject) || uses(subject))
    }

    /// The tests of these subjects: names of alerts, and families whose recorded values are tested.
    fn parts(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<SuitePart> {
        let mut subjects: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for test in &self.tests {
            let subject = test["name"].as_str().and_then(|name| name.split_once(": "));
            subjects.entry(subject.map_or("", |(subject, _)| subject)).or_default().push(test);
        }
        subjects.retain(|subject, _| is_wanted(subject));
        let parts = subjects.into_iter().flat_map(|(subject, tests)| self.parts_of_subject(subject, &tests));
        let mut parts: Vec<_> = parts.collect();
        parts.sort_by_key(SuitePart::evaluations);
        parts
    }

    fn parts_of_subject(&self, subject: &str, tests: &[&Value]) -> Vec<SuitePart> {
        let tested: Vec<_> = self.tested_rules(subject).collect();
        let holds = tested.iter().filter_map(|rule| self.rules[*rule]["for"].as_str()).map(seconds);
        let hold = holds.filter(|hold| *hold > 0).min().unwrap_or(0);
        let mut parts: BTreeMap<_, Vec<Value>> = BTreeMap::new();
        for test in tests {
            let rules = self.needed_rules(&tested, test);
            parts.entry((evaluation_interval(test, hold), rules)).or_default().push((*test).clone());
        }
        let part = |((interval, rules), tests): ((u64, Vec<usize>), _)| {
            let rules = rules.into_iter().map(|rule| (rule, self.rules[rule].clone())).collect();
            SuitePart { interval, tests, rules }
        };
        parts.into_iter().map(part).collect()
    }

    /// Those of the tested rules that can have a result in a test, and the recordings that they read.
    fn needed_rules(&self, tested: &[usize], test: &Value) -> Vec<usize> {
        let series = test["input_series"].as_array().into_iter().flatten();
        let names = series.filter_map(|series| series["series"].as_str()?.split('{').next());
        let names: Vec<_> = names.collect();
        let selects = |rule: usize| names.iter().any(|name| self.expr(rule).contains(name));
        let recordings: Vec<_> = (0..self.rules.len())
            .filter(|rule| self.is_recording(*rule) && selects(*rule))
            .filter(|rule| tested.iter().any(|tested| self.expr(*tested).contains(self.name(*rule))))
            .collect();
        let reads = |rule: usize| recordings.iter().any(|read| self.expr(rule).contains(self.name(*read)));
        // Without a series, `absent` has a result.
        let is_needed = |rule: &usize| selects(*rule) || reads(*rule) || self.expr(*rule).contains("absent(");
        let mut needed: Vec<_> = tested.iter().copied().filter(is_needed).chain(recordings.clone()).collect();
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    fn is_recording(&self, rule: usize) -> bool {
        self.rules[rule]["record"].is_string()
    }

    /// The rules of an alert, or the recordings of a family.
    fn tested_rules(&self, subject: &str) -> impl Iterator<Item = usize> {
        (0..self.rules.len()).filter(move |rule| {
            self.name(*rule) == subject || recorded_family(self.name(*rule)) == Some(subject)
        })
    }
}

/// Tests with the same times of evaluation, and the rules that they need.
pub(crate) struct SuitePart {
    interval: u64,
    tests: Vec<Value>,
    rules: Vec<(usize, Value)>,
}

impl SuitePart {
    /// The number of evaluations of rules in these tests.
    fn evaluations(&self) -> u64 {
        let ends = self.tests.iter().map(|test| moments(test).max().unwrap_or(0) / self.interval);
        ends.sum::<u64>() * self.rules.len() as u64
    }

    /// Whether the tests need this rule.
    pub(crate) fn needs(&self, rule: usize) -> bool {
        self.rules.iter().any(|(needed, _)| *needed == rule)
    }

    /// Runs the tests. `mutated` is the expression of each rule, from its own one.
    pub(crate) fn run(&self, mutated: impl Fn(usize, &str) -> String) -> Result<Output, Failed> {
        let rules = self.rules.iter().map(|(rule, written)| {
            let mut written = written.clone();
            written["expr"] = mutated(*rule, written["expr"].as_str().unwrap_or_default()).into();
            written
        });
        let rules = json!({"groups": [{"name": "rules", "rules": rules.collect::<Vec<_>>()}]});
        let interval = format!("{}s", self.interval);
        let tests =
            json!({"rule_files": ["rules.yml"], "evaluation_interval": interval, "tests": self.tests});
        let directory = Directory::new();
        // JSON is YAML.
        fs::write(directory.path().join("rules.yml"), rules.to_string())?;
        fs::write(directory.path().join("tests.yml"), tests.to_string())?;
        let mut promtool = Command::new("promtool");
        // A short process needs no second thread, and little garbage collection.
        promtool.envs([("GOMAXPROCS", "1"), ("GOGC", "400")]);
        Ok(promtool.args(["test", "rules", "tests.yml"]).current_dir(directory.path()).output()?)
    }
}

/// The family that is recorded under this name, `level:family:operations`, under which its values are tested.
fn recorded_family(name: &str) -> Option<&str> {
    name.split(':').nth(1).map(|family| family.trim_end_matches("_count"))
}

/// A time between evaluations at which each expected moment is evaluated and a hold is noticed to be over: at most five
/// minutes, unless the values are as rare.
fn evaluation_interval(test: &Value, hold: u64) -> u64 {
    let common = moments(test).fold(0, gcd);
    // A recorded value depends on no earlier evaluation.
    let is_recorded = test["alert_rule_test"].is_null();
    let step = test["interval"].as_str().map_or(MINUTE, seconds);
    let longest = if (1..2 * MINUTE).contains(&hold) { MINUTE } else { step.max(5 * MINUTE) };
    if is_recorded { common } else { gcd(common, longest).max(MINUTE) }
}

/// The times in seconds for which a test expects something.
fn moments(test: &Value) -> impl Iterator<Item = u64> {
    let expected =
        ["alert_rule_test", "promql_expr_test"].into_iter().filter_map(|kind| test[kind].as_array());
    expected.flatten().filter_map(|moment| moment["eval_time"].as_str()).map(seconds)
}

fn gcd(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { gcd(other, one % other) }
}

/// The seconds of a duration with one unit.
pub(crate) fn seconds(duration: &str) -> u64 {
    let (number, unit) = duration.split_at(duration.find(|c: char| !c.is_ascii_digit()).unwrap_or(0));
    let length = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        _ => 1,
    };
    number.parse::<u64>().unwrap_or(0) * length
}
