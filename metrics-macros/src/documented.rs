//! The tables of keys in the documentation list the keys that the parser knows.

use std::collections::BTreeSet;
use std::path::Path;

use crate::grammar::attribute::{self, Attribute, Requirement};
use crate::grammar::outcome_words::WORDS;
use crate::label_value::case::Case;
use crate::label_value::options;

/// The words in code in the first column of the table whose head begins with `head`.
fn table(page: &str, head: &str) -> BTreeSet<String> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../metrics-core/docs").join(page).with_extension("md");
    let text = std::fs::read_to_string(&path).expect("the page is readable");
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with(head))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let words = |row: &str| -> Vec<String> {
        let column = row.split('|').nth(1).unwrap_or_default();
        column.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    rows.flat_map(words).collect()
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn each_attributes_table_has_its_keys() {
    for attribute in Attribute::ALL {
        // A positional key's name is never written, and `skip` is documented with `impl` blocks.
        let keys = attribute
            .keys()
            .filter(|key| key.requirement != Requirement::Positional && key.name != attribute::SKIP);
        assert_eq!(table(attribute.name(), "| key |"), set(keys.map(|key| key.name)), "{}", attribute.name());
    }
}

#[test]
fn the_words_of_on_are_documented() {
    let words = WORDS.iter().map(|word| word.word);
    assert_eq!(table(Attribute::OperationalEvent.name(), "| `on = …` |"), set(words));
}

#[test]
fn the_derives_keys_and_cases_are_documented() {
    assert_eq!(table("label_value", "| key |"), set(options::KEYS.map(|(key, _)| key)));
    assert_eq!(table("label_value", "| case |"), set(Case::ALL.map(|(name, _)| name)));
}
