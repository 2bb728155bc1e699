//! Generated parts of committed files are up to date. `BLESS=1` rewrites them.

use bot_metrics_tests::workspace::assert_generated;

#[test]
fn the_readmes_table_of_metrics() {
    assert_generated("README.md", "metrics", &bot_metrics::catalogue::markdown("bytelyst_bot"));
}
