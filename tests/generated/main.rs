//! Generated parts of committed files are up to date. `BLESS=1` rewrites them.

use bot_metrics_tests::workspace::{assert_generated, read};

#[test]
fn the_readmes_table_of_metrics() {
    assert_generated("README.md", "metrics", &bot_metrics::catalogue::markdown("bytelyst_bot"));
}

#[test]
fn the_readmes_table_of_features() {
    assert_generated("README.md", "features", &read("metrics-core/docs/features.md"));
}

#[test]
fn the_quickstart_is_shown_as_it_is() {
    let source = read("examples/src/bin/quickstart.rs");
    let (_, code) = source.split_once("\n\n").expect("a comment above the code");
    for page in ["README.md", "metrics-core/docs/guide/first_bot.md"] {
        assert_generated(page, "quickstart", &format!("```rust,no_run\n{code}```\n"));
    }
}
