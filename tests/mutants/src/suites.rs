//! The suites that must detect faults, the quick ones first.

use std::fmt;
use std::fs::{self, File};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::tree::Tree;

/// The crate into which faults are injected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Crate {
    Core,
    Macros,
}

/// The result of a fault.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This suite failed, counted from 1, with these failed tests.
    Caught(usize, Vec<String>),
    /// A suite took far longer than without the fault.
    Hangs(usize),
    Missed,
    /// The crate itself does not compile, so it is no fault.
    Unviable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught(suite, tests) => write!(f, "caught by suite {suite}: {}", tests.join(", ")),
            Self::Hangs(suite) => write!(f, "caught by suite {suite}: it does not end"),
            Self::Missed => f.write_str("MISSED"),
            Self::Unviable => f.write_str("does not compile"),
        }
    }
}

type Arguments = &'static [&'static str];

/// The commands of CI, except that one crate's use all its features.
const CORE: &[Arguments] = &[
    &["test", "-p", "bot-metrics", "--all-features", "--lib"],
    &[
        "test",
        "-p",
        "bot-metrics-tests",
        "--test",
        "semantics",
        "--test",
        "outcomes",
        "--test",
        "custom",
        "--test",
        "process_wide",
        "--test",
        "clocks",
        "--test",
        "recording",
        "--test",
        "first_allocation",
    ],
    &["test", "--workspace"],
    &["test", "--manifest-path", "tests/models/Cargo.toml"],
];

const MACROS: &[Arguments] = &[
    &["test", "-p", "bot-metrics-macros"],
    &["test", "-p", "bot-metrics-ui-tests"],
    &["test", "-p", "bot-metrics-tests", "--test", "outcomes", "--test", "semantics", "--test", "custom"],
    &["test", "-p", "bot-metrics-tests", "--test", "expansion"],
    &["test", "--workspace"],
];

/// A suite may take this many times its duration without a fault, plus one minute.
const PATIENCE: u32 = 4;

/// The suites and their time limits.
pub struct Suites {
    check: Vec<&'static str>,
    all: Vec<(Arguments, Duration)>,
}

impl Crate {
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Macros => "macros",
        }
    }

    pub fn package(self) -> &'static str {
        match self {
            Self::Core => "bot-metrics",
            Self::Macros => "bot-metrics-macros",
        }
    }

    /// The number of faults to draw.
    pub fn count(self) -> u64 {
        match self {
            Self::Core => 60,
            Self::Macros => 40,
        }
    }

    /// Runs the first `count` suites without a fault; all of them have to pass.
    pub fn suites_without_a_fault(self, tree: &Tree, count: usize) -> Result<Suites, String> {
        let suites = match self {
            Self::Core => CORE,
            Self::Macros => MACROS,
        };
        let mut all = Vec::new();
        for &arguments in suites.iter().take(count) {
            // Everything is built once before the time is measured.
            let only_build: Vec<_> = arguments.iter().copied().chain(["--no-run"]).collect();
            let (built, _) = run(tree, &only_build, Duration::from_hours(1))?;
            let (passed, took) = run(tree, arguments, Duration::from_hours(1))?;
            if !(built.success() && passed.success()) {
                return Err(format!(
                    "without a fault `cargo {}` fails; see {}",
                    arguments.join(" "),
                    log(tree).display()
                ));
            }
            all.push((arguments, took * PATIENCE + Duration::from_mins(1)));
        }
        Ok(Suites { check: vec!["check", "-p", self.package(), "--all-features"], all })
    }
}

impl Suites {
    /// Runs the suites until one fails.
    pub fn judge(&self, tree: &Tree) -> Result<Verdict, String> {
        if !run(tree, &self.check, Duration::from_hours(1))?.0.success() {
            return Ok(Verdict::Unviable);
        }
        for (index, (arguments, patience)) in self.all.iter().enumerate() {
            let (status, _) = run(tree, arguments, *patience)?;
            match status.code() {
                Some(0) => {}
                Some(TIMED_OUT) => return Ok(Verdict::Hangs(index + 1)),
                _ => return Ok(Verdict::Caught(index + 1, failed_tests(tree)?)),
            }
        }
        Ok(Verdict::Missed)
    }
}

/// The exit code of the program `timeout`.
const TIMED_OUT: i32 = 124;

fn log(tree: &Tree) -> std::path::PathBuf {
    tree.path().with_extension("log")
}

/// The names of the failed tests, which show whether the fault is the reason. If empty, the suite did not compile.
fn failed_tests(tree: &Tree) -> Result<Vec<String>, String> {
    let log = log(tree);
    let bytes = fs::read(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut tests: Vec<_> = text.lines().filter_map(failed_test).map(str::to_owned).collect();
    if tests.is_empty() {
        tests.extend(text.lines().find(|line| line.starts_with("error")).map(str::to_owned));
    }
    tests.truncate(3);
    Ok(tests)
}

/// The name in a line of libtest or a compatible harness.
fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED").map(str::trim)
}

fn run(tree: &Tree, arguments: &[&str], patience: Duration) -> Result<(ExitStatus, Duration), String> {
    let output = File::create(log(tree)).map_err(|error| format!("{}: {error}", log(tree).display()))?;
    let errors = output.try_clone().map_err(|error| error.to_string())?;
    let started = Instant::now();
    // It also ends the tests' child processes.
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after=5", &patience.as_secs().to_string(), "cargo"])
        .args(arguments)
        .current_dir(tree.path())
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("CARGO_TARGET_DIR")
        .stdin(std::process::Stdio::null())
        .stdout(output)
        .stderr(errors);
    let status = command.status().map_err(|error| format!("timeout: {error}"))?;
    Ok((status, started.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_that_failed_are_named() {
        assert_eq!(failed_test("test clock::tests::one ... FAILED"), Some("clock::tests::one"));
        assert_eq!(failed_test("test clock::tests::one ... ok"), None);
        assert_eq!(failed_test("test result: FAILED. 1 passed; 1 failed"), None);
    }
}
