//! The results of a crate's own tests.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::counts::Counts;
use crate::crates::Crate;
use crate::warnings::is_of;
use crate::workspace::{Copy, build, directory, scratch};

/// The time limit of one test program.
const PATIENCE: Duration = Duration::from_secs(900);

/// The variable that names the directory for counts; the package `call-counter` reads it.
const COUNTS: &str = "REAL_CRATES_COUNTS";

/// The result of each test, by program and name. The result of a program itself is under its name alone.
pub type Outcomes = BTreeMap<String, String>;

/// The test programs of each crate.
pub type Programs = BTreeMap<String, Vec<Program>>;

/// A test program.
#[derive(Debug)]
pub struct Program {
    target: String,
    file: PathBuf,
}

/// Builds the tests of all crates of a copy.
///
/// # Errors
///
/// If one does not compile: the compiler's messages.
pub fn programs(copy: Copy, crates: &[&Crate]) -> Result<Programs, String> {
    let messages = build(copy, crates, &["test", "--no-run", "--lib", "--bins", "--tests"], &[])?;
    let mut programs = Programs::new();
    for message in &messages {
        let (Some(file), true) = (message["executable"].as_str(), message["profile"]["test"] == true) else {
            continue;
        };
        let Some(krate) = crates.iter().find(|krate| is_of(message, krate)) else { continue };
        let target = message["target"]["name"].as_str().unwrap_or_default().to_owned();
        programs.entry(krate.name.to_owned()).or_default().push(Program { target, file: file.into() });
    }
    Ok(programs)
}

/// Runs the tests of a crate, and returns their results and counts.
///
/// # Errors
///
/// If the counts cannot be read.
pub fn run(copy: Copy, krate: &Crate, programs: &Programs) -> Result<(Outcomes, Counts), String> {
    let counts = scratch().join("counts").join(format!("{}-{}", krate.name, copy.name()));
    // The directory does not exist before the first run.
    let _ = fs::remove_dir_all(&counts);
    fs::create_dir_all(&counts).expect("a directory to write to");
    let mut outcomes = Outcomes::new();
    for Program { target, file } in programs.get(krate.name).into_iter().flatten() {
        let log = scratch().join("logs").join(format!("{}-{target}-{}", krate.name, copy.name()));
        fs::create_dir_all(log.parent().expect("a file has a directory")).expect("a directory to write to");
        let mut command = Command::new(file);
        for skipped in krate.skipped_tests {
            command.args(["--skip", skipped]);
        }
        let directory = directory(copy, krate);
        command.current_dir(&directory).env("CARGO_MANIFEST_DIR", &directory).env(COUNTS, &counts);
        command.stdin(Stdio::null());
        command.stdout(File::create(&log).expect("a file to write to"));
        command.stderr(File::create(log.with_extension("stderr")).expect("a file to write to"));
        outcomes.insert(target.clone(), end(&mut command));
        let text = fs::read(&log).unwrap_or_default();
        let ends = tests(&String::from_utf8_lossy(&text));
        outcomes.extend(ends.into_iter().map(|(test, end)| (format!("{target}: {test}"), end)));
    }
    Ok((outcomes, Counts::of(&counts)?))
}

fn end(command: &mut Command) -> String {
    let mut child = command.spawn().expect("a test program starts");
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.to_string(),
            Ok(None) if started.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return format!("stopped after {} s", PATIENCE.as_secs());
            }
            Err(error) => return error.to_string(),
        }
    }
}

/// The tests in a program's output. The output of a test may be between its name and its result.
fn tests(output: &str) -> Vec<(String, String)> {
    let mut tests = Vec::new();
    let mut started: Option<String> = None;
    for line in output.lines() {
        let name = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "));
        if let Some((name, _)) = name {
            started = Some(name.to_owned());
        }
        let end = ["ok", "FAILED", "ignored"].into_iter().find(|end| match name {
            Some((_, rest)) => rest.ends_with(end) || rest.starts_with("ignored") && *end == "ignored",
            None => line == *end,
        });
        if let (Some(end), Some(name)) = (end, started.take_if(|_| end.is_some())) {
            tests.push((name, end.to_owned()));
        }
    }
    tests
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn results_are_read_despite_the_output_of_tests() {
        let output = "running 4 tests\ntest a::one ... ok\ntest two ... printed\nmore\nok\n\
                      test three ... ignored, needs a network\ntest four - should panic ... FAILED\n\nfailures:\n    four\n";
        let expected =
            [("a::one", "ok"), ("two", "ok"), ("three", "ignored"), ("four - should panic", "FAILED")];
        assert_eq!(tests(output), expected.map(|(name, end)| (name.to_owned(), end.to_owned())));
    }
}
