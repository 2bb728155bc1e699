//! The table of features.

use std::collections::BTreeSet;

use bot_metrics_tests::workspace::read;

/// Parts of other features, of no use alone.
const PARTS: [&str; 2] = ["client", "web-config"];

#[test]
fn every_feature_is_in_the_table_and_the_default_ones_are_marked() {
    let manifest = read("metrics-core/Cargo.toml");
    let section = manifest.split_once("\n[features]\n").expect("the section").1;
    let section = section.split_once("\n[").map_or(section, |(section, _)| section);
    let lines = section.lines().filter(|line| !line.starts_with('#'));
    let features: Vec<_> = lines.filter_map(|line| line.split_once(" = ")).collect();
    let (_, defaults) = features.iter().find(|(name, _)| *name == "default").expect("default features");
    let expected: BTreeSet<_> = features
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| *name != "default" && !PARTS.contains(name))
        .map(|name| (name, defaults.contains(&format!("\"{name}\""))))
        .collect();

    let table = read("metrics-core/docs/features.md");
    let columns = table.lines().skip(2).filter_map(|row| row.split('|').nth(1));
    let listed: BTreeSet<_> = columns
        .flat_map(|column| {
            let is_default = column.contains("(default)");
            column.split('`').skip(1).step_by(2).map(move |name| (name, is_default))
        })
        .collect();
    assert_eq!(listed, expected);
}
