//! The pages for users, and the blocks of code in them.

use std::collections::BTreeSet;
use std::fs;

use crate::workspace::{read, root};

/// The folder of the guide.
pub const GUIDE: &str = "metrics-core/docs/guide";

/// A block of code of a page.
#[derive(Debug)]
pub struct Block {
    /// The path of the page.
    pub page: String,
    /// The words after the fence.
    pub language: String,
    /// The code.
    pub text: String,
}

/// The pages, by their paths from the root.
#[must_use]
pub fn pages() -> Vec<String> {
    let others =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/comparisons.md", "examples/README.md"];
    let template = "examples/template/README.md";
    let guide = names().into_iter().map(|name| format!("{GUIDE}/{name}.md"));
    others.into_iter().chain([template]).map(str::to_owned).chain(guide).collect()
}

/// The names of the guide's pages, without the file of links for rustdoc.
///
/// # Panics
///
/// If the folder cannot be read.
#[must_use]
pub fn names() -> BTreeSet<String> {
    let folder = fs::read_dir(root().join(GUIDE)).expect("the folder is readable");
    let files = folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    files
        .filter_map(|file| Some(file.strip_suffix(".md")?.to_owned()))
        .filter(|name| name != "links")
        .collect()
}

/// Every block of these languages; of every language if none is named.
#[must_use]
pub fn blocks(languages: &[&str]) -> Vec<Block> {
    let all = pages().into_iter().flat_map(|page| blocks_of(&page));
    all.filter(|block| languages.is_empty() || languages.contains(&block.language.as_str())).collect()
}

fn blocks_of(page: &str) -> Vec<Block> {
    let text = read(page);
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let inside = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
        let text = inside.flat_map(|line| [line, "\n"]).collect();
        blocks.push(Block { page: page.to_owned(), language: language.to_owned(), text });
    }
    blocks
}
