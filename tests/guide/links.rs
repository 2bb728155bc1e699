//! Links between pages.

use bot_metrics_tests::pages::{GUIDE, names, pages};
use bot_metrics_tests::workspace::{read, root};

#[test]
fn links_to_files_lead_to_files() {
    let mut count = 0;
    for page in pages() {
        let folder = root().join(&page).parent().expect("a folder").to_owned();
        for target in targets(&read(&page)) {
            let file = target.split('#').next().unwrap_or_default();
            // Links of rustdoc, to the web, and within the page.
            if file.is_empty() || file.contains("::") || file.contains("://") || file.contains('@') {
                continue;
            }
            count += 1;
            assert!(folder.join(file).exists(), "{page} leads to {target}, which does not exist");
        }
    }
    assert!(count > 50, "{count} links");
}

/// A page's own definitions lead to files, for a code host; rustdoc uses those of `links.md`, which must have the same.
#[test]
fn each_page_of_the_guide_defines_its_links_for_both_readers() {
    let definitions = read(&format!("{GUIDE}/links.md"));
    for name in names() {
        let page = read(&format!("{GUIDE}/{name}.md"));
        for line in definitions.lines().filter(|line| !line.is_empty()) {
            let (label, module) = line.split_once(": crate::guide::").expect("a definition");
            let own = format!("\n{label}: {module}.md\n");
            let uses = page.replace('\n', " ").matches(label).count() - usize::from(page.contains(&own));
            assert_eq!(uses > 0, page.contains(&own), "{name}: {label}");
        }
    }
}

/// The targets of definitions, inline links, images and `src`.
fn targets(page: &str) -> Vec<&str> {
    let outside = page.split("```").step_by(2);
    let mut targets = Vec::new();
    for text in outside {
        let definitions = text.lines().filter(|line| line.starts_with('['));
        targets.extend(definitions.filter_map(|line| Some(line.split_once("]: ")?.1)));
        for (start, end) in [("](", ')'), ("src=\"", '"')] {
            targets.extend(text.split(start).skip(1).filter_map(|rest| rest.split(end).next()));
        }
    }
    targets
}
