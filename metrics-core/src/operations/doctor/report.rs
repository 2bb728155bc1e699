//! The findings as text for a person.

use std::fmt::Write as _;

use clap::ValueEnum as _;

use super::Diagnosis;
use super::finding::{FindingLevel, word};

/// A paragraph for each finding, and the numbers of compared objects.
pub(super) fn plain(diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    for finding in &diagnosis.findings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{finding}");
    }
    let Diagnosis { url, families, series, functions, is_incomplete, findings } = diagnosis;
    let counts = FindingLevel::value_variants().iter().rev().map(|level| {
        let count = findings.iter().filter(|finding| finding.level == *level).count();
        format!("{count} {}", word(level))
    });
    let counts: Vec<_> = counts.collect();
    let _ = writeln!(text, "{url}: {families} families, {series} series; findings: {}", counts.join(", "));
    if *is_incomplete {
        text.push_str("nothing else could be checked\n");
    }
    if let Some(functions) = functions {
        let _ = writeln!(
            text,
            "annotated functions: {} exercised, {} never exercised, {} absent",
            functions.exercised, functions.never_exercised, functions.absent
        );
    }
    text
}
