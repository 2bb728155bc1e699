//! The reference: the families of the binary as a Markdown table.

use crate::catalogue::table::{MARKDOWN_HEAD, markdown_row};
use crate::linked::LinkedCatalogue;

/// The table; families marked + are extensions.
pub(super) fn reference(linked: &LinkedCatalogue) -> String {
    let rows = linked.families.iter().map(|family| {
        let labels: Vec<_> = family.labels.iter().map(|label| label.name.as_str()).collect();
        markdown_row(&family.name, family.is_extension(), family.kind, &labels, &family.help)
    });
    [MARKDOWN_HEAD.to_owned()].into_iter().chain(rows).collect()
}
