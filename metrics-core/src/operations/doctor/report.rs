//! The findings as text for a person, and as JSON.

use std::fmt::Write as _;

use super::Diagnosis;
use super::finding::FindingLevel;

/// A paragraph for each finding, and the numbers of compared objects.
pub(super) fn plain(diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    for finding in &diagnosis.findings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{finding}");
    }
    let Diagnosis { url, families, series, functions, is_incomplete, findings } = diagnosis;
    let counts = FindingLevel::ALL.map(|level| {
        let count = findings.iter().filter(|finding| finding.level == level).count();
        format!("{count} {}", level.as_str())
    });
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

pub(super) fn json(diagnosis: &Diagnosis) -> Result<String, String> {
    let text = serde_json::to_string_pretty(diagnosis);
    text.map(|text| text + "\n").map_err(|error| format!("the JSON cannot be written: {error}"))
}
