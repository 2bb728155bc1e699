//! The list of families for a person.

use std::fmt::Write as _;

use crate::linked::{LinkedCatalogue, LinkedFamily};

/// A line for each family: name, kind, labels with their values, and objective.
pub(super) fn list(linked: &LinkedCatalogue) -> String {
    let mut text = String::new();
    let width = linked.families.iter().map(|family| family.name.len()).max().unwrap_or(0);
    for family in &linked.families {
        let line = format!("{:width$}  {:9}  {}", family.name, family.kind.as_str(), details(family));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ =
        writeln!(text, "{} families, {} annotated functions", linked.families.len(), linked.functions.len());
    text
}

fn details(family: &LinkedFamily) -> String {
    let labels = family.labels.iter().map(|label| match &label.values {
        Some(values) => format!("{}={}", label.name, values.join("|")),
        None => label.name.clone(),
    });
    let objective = family
        .objective
        .map(|objective| format!("objective: {} at most {}", objective.ratio, objective.threshold));
    labels.chain(objective).collect::<Vec<_>>().join(" ")
}
