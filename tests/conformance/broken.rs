use std::collections::HashSet;

use bot_metrics::conformance::check;
use bot_metrics_tests::broken_pages::BROKEN_PAGES;

#[test]
fn a_broken_page_has_exactly_the_expected_findings() {
    for broken in BROKEN_PAGES {
        let findings: Vec<_> = check(broken.page, broken.format).iter().map(ToString::to_string).collect();
        assert_eq!(findings, broken.findings, "{}: {}", broken.name, broken.page.escape_ascii());
    }
}

#[test]
fn no_name_of_a_broken_page_is_there_twice() {
    let mut names = HashSet::new();
    let twice = BROKEN_PAGES.iter().find(|broken| !names.insert(broken.name));
    assert!(twice.is_none(), "{twice:?}");
}
