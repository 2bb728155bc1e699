//! The families as a table.

use super::{FAMILIES, Families, Family, Kind};

/// The families as a Markdown table, as in the README.
///
/// ```
/// assert!(bot_metrics::catalogue::markdown("bytelyst_bot").contains("bytelyst_bot_subsystem_alive"));
/// ```
#[must_use]
pub fn markdown(namespace: &str) -> String {
    let row = |family: &&Family| {
        let is_extension = !Families::CoreOnly.include(family);
        markdown_row(&family.full_name(namespace), is_extension, family.kind, family.labels, family.help)
    };
    [MARKDOWN_HEAD.to_owned()].into_iter().chain(FAMILIES.iter().map(row)).collect()
}

/// The first lines of a table of families in Markdown.
pub(crate) const MARKDOWN_HEAD: &str = "| metric | kind | labels | meaning |\n| --- | --- | --- | --- |\n";

/// A row of such a table, where extensions are marked with +.
pub(crate) fn markdown_row(
    name: &str,
    is_extension: bool,
    kind: Kind,
    labels: &[&str],
    help: &str,
) -> String {
    let plus = if is_extension { " +" } else { "" };
    let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
    format!("| `{name}`{plus} | {} | {labels} | {help} |\n", kind.as_str())
}
