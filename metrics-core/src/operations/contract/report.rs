//! Changes as text: for a person, or for the annotations of a GitHub workflow.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::change::{Class, MetricChange};

/// One paragraph per change, and a line with the numbers.
pub(super) fn plain(changes: &[MetricChange]) -> String {
    let mut text = String::new();
    for change in changes {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {}", change.class.as_str(), headline(change));
        if !change.used_by.is_empty() {
            let _ = writeln!(text, "    used by: {}", joined(&change.used_by));
        }
        if !change.migration.is_empty() {
            let _ = writeln!(text, "    migration: {}", change.migration);
        }
    }
    text + &summary(changes) + "\n"
}

/// One workflow command per change, and a line with the numbers.
pub(super) fn github(changes: &[MetricChange]) -> String {
    let mut text = String::new();
    for change in changes {
        let level = match change.class {
            Class::Breaking => "error",
            Class::Compatible | Class::Information => "notice",
        };
        let mut message = headline(change);
        if !change.used_by.is_empty() {
            let _ = write!(message, "\nused by: {}", joined(&change.used_by));
        }
        if !change.migration.is_empty() {
            let _ = write!(message, "\nmigration: {}", change.migration);
        }
        let title = format!("{} change of the metrics", change.class.as_str());
        let _ = writeln!(text, "::{level} title={title}::{}", escaped(&message));
    }
    text + &summary(changes) + "\n"
}

fn headline(change: &MetricChange) -> String {
    let families = joined(&change.families);
    if families.is_empty() { change.text.clone() } else { format!("{families}: {}", change.text) }
}

fn joined(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn summary(changes: &[MetricChange]) -> String {
    let count = |class| changes.iter().filter(|change| change.class == class).count();
    let counts = Class::ALL.map(|class| (count(class), class.as_str()));
    let counts: Vec<_> = counts.iter().filter(|(count, _)| *count > 0).collect();
    if counts.is_empty() {
        return "no change of the metrics".to_owned();
    }
    let counts: Vec<_> = counts.iter().map(|(count, class)| format!("{count} {class}")).collect();
    format!("changes: {}", counts.join(", "))
}

/// The data of a workflow command, in which a line cannot end.
fn escaped(data: &str) -> String {
    data.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
