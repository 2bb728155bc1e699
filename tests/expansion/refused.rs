//! Functions that cannot be measured are rejected with one error that gives the solution, and are kept.

use crate::package::{Packages, source};

#[test]
fn functions_that_cannot_be_measured_are_rejected_once_and_kept() {
    assert_told_as_expected("functions", 15);
}

#[test]
fn all_typos_of_a_crate_are_reported_in_one_run_beside_other_errors() {
    assert_told_as_expected("typos", 17);
}

/// Asserts that the compiler reports for a file exactly the messages in its comments, once each.
fn assert_told_as_expected(name: &str, least: usize) {
    let mut packages = Packages::new(&format!("refused-{name}"));
    let file = source(&format!("refused/{name}.rs"));
    packages.add("refused", "2024", "", &[("lib.rs", file.clone())]);
    let found = packages.diagnostics(&["check"]);
    let errors: Vec<_> =
        found["refused/refused"].iter().filter(|diagnostic| diagnostic.level == "error").collect();
    // Each rejected function follows a comment with a part of its message.
    let expected: Vec<(u64, &str)> = file
        .lines()
        .zip(1..)
        .filter_map(|(line, number)| line.trim_start().strip_prefix("//~ ").map(|message| (number, message)))
        .collect();
    assert!(expected.len() >= least, "{}", expected.len());
    for (index, (line, message)) in expected.iter().enumerate() {
        let end = expected.get(index + 1).map_or(u64::MAX, |(line, _)| *line);
        let here: Vec<_> = errors.iter().filter(|error| (*line..end).contains(&error.places[0][0])).collect();
        assert!(here.len() == 1 && here[0].message.contains(message), "line {line}: {message}: {here:#?}");
    }
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
}
