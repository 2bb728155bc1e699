//! The cookbook of queries.

use std::collections::BTreeSet;

use bot_metrics::catalogue;
use bot_metrics_tests::pages::blocks;

#[test]
fn every_query_is_legal_and_names_series_that_exist() {
    let known: BTreeSet<_> =
        catalogue::FAMILIES.iter().map(|family| family.full_name("bytelyst_bot")).collect();
    let queries = blocks(&["promql"]);
    assert!(queries.len() > 15, "{} queries", queries.len());
    for query in queries {
        promql_parser::parser::parse(&query.text).unwrap_or_else(|error| panic!("{error}\n{}", query.text));
        for name in names(&query.text) {
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
            let exists = known.contains(name) || family.is_some_and(|family| known.contains(family));
            assert!(exists, "{name} in {}: {}", query.page, query.text);
        }
    }
}

fn names(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("bytelyst_bot_") || word.starts_with("process_"))
}
