//! The contents of the guide.

use std::collections::BTreeSet;

use bot_metrics_tests::pages::{blocks, names};
use bot_metrics_tests::workspace::read;

#[test]
fn every_page_of_the_guide_is_in_the_documentation_and_in_the_contents() {
    let source = read("metrics-core/src/guide.rs");
    let list = source.split_once("\npages! {").expect("the list").1;
    let listed: BTreeSet<_> =
        list.trim_end().trim_end_matches('}').split_whitespace().map(str::to_owned).collect();
    let mut written = names();
    assert!(written.remove("README"));
    assert_eq!(listed, written);
    for page in ["metrics-core/docs/guide/README.md", "metrics-core/docs/guide/links.md", "README.md"] {
        let text = read(page);
        for name in &written {
            let target =
                if page.ends_with("links.md") { format!("::{name}\n") } else { format!("{name}.md") };
            assert!(text.contains(&target), "{page} does not lead to {name}");
        }
    }
}

#[test]
fn every_block_of_code_names_its_language() {
    let known =
        ["rust", "rust,no_run", "sh", "console", "toml", "yaml", "ini", "dockerfile", "js", "promql", "text"];
    for block in blocks(&[]) {
        assert!(known.contains(&block.language.as_str()), "{block:?}");
    }
}
