//! The compiler messages quoted in the documentation.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::Failed;

/// The head of a table of messages.
const HEAD: &str = "| the compiler says |";

/// Checks that each quoted message is in a `.stderr` file.
pub(crate) fn check() -> Result<(), Failed> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts: String = entries(ui)?
        .into_iter()
        .filter(|path| path.is_dir())
        .map(|directory| entries(&directory))
        .collect::<Result<Vec<_>, _>>()?
        .concat()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "stderr"))
        .map(fs::read_to_string)
        .collect::<Result<_, _>>()?;
    let mut quoted = 0;
    let docs = ui.join("../../metrics-core/docs");
    let pages = [entries(&docs)?, entries(&docs.join("guide"))?].concat();
    for page in pages.iter().filter(|page| page.is_file()) {
        for message in messages(&fs::read_to_string(page)?) {
            quoted += 1;
            if !texts.contains(message) {
                return Err(format!("no .stderr file contains {message}").into());
            }
        }
    }
    if quoted < 15 { Err(format!("{quoted} messages are quoted").into()) } else { Ok(()) }
}

/// The messages in all tables of a page.
fn messages(page: &str) -> Vec<&str> {
    let mut messages = Vec::new();
    let mut lines = page.lines();
    while lines.any(|line| line.starts_with(HEAD)) {
        let rows = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
        messages.extend(rows.filter_map(message));
    }
    messages
}

/// The code in the first column.
fn message(row: &str) -> Option<&str> {
    let column = row.split('|').nth(1)?.trim();
    let fence = if column.starts_with("``") { "``" } else { "`" };
    Some(column.strip_prefix(fence)?.strip_suffix(fence)?.trim())
}

fn entries(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect()
}
