//! Changes as text: for a person, or for the annotations of a GitHub workflow.

use std::collections::BTreeSet;

use super::change::{Class, MetricChange};

/// One paragraph per change, and a line with the numbers.
pub(super) fn plain(changes: &[MetricChange]) -> String {
    let paragraph =
        |change: &MetricChange| format!("{}: {}\n", change.class.as_str(), lines(change).join("\n    "));
    changes.iter().map(paragraph).chain([summary(changes)]).collect()
}

/// One workflow command per change, and a line with the numbers.
pub(super) fn github(changes: &[MetricChange]) -> String {
    let command = |change: &MetricChange| {
        let level = match change.class {
            Class::Breaking => "error",
            Class::Compatible | Class::Information => "notice",
        };
        let (class, message) = (change.class.as_str(), escaped(&lines(change).join("\n")));
        format!("::{level} title={class} change of the metrics::{message}\n")
    };
    changes.iter().map(command).chain([summary(changes)]).collect()
}

/// The families with their change, its users and how to move them.
fn lines(change: &MetricChange) -> Vec<String> {
    let parts = [
        (joined(&change.families), change.text.clone()),
        ("used by".to_owned(), joined(&change.used_by)),
        ("migration".to_owned(), change.migration.to_owned()),
    ];
    let parts = parts.into_iter().filter(|(_, text)| !text.is_empty());
    parts.map(|(of, text)| if of.is_empty() { text } else { format!("{of}: {text}") }).collect()
}

fn joined(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn summary(changes: &[MetricChange]) -> String {
    let count = |class| changes.iter().filter(|change| change.class == class).count();
    let counts = Class::ALL.map(|class| (count(class), class.as_str()));
    let counts: Vec<_> = counts.iter().filter(|(count, _)| *count > 0).collect();
    if counts.is_empty() {
        return "no change of the metrics\n".to_owned();
    }
    let counts: Vec<_> = counts.iter().map(|(count, class)| format!("{count} {class}")).collect();
    format!("changes: {}\n", counts.join(", "))
}

/// The data of a workflow command, in which a line cannot end.
fn escaped(data: &str) -> String {
    data.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
