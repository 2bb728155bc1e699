//! About a hundred malformed attributes with one mistake each. All are rejected, each at its own position and without
//! a panic of the macro, and the annotated item is kept; with the feature `enable` off as well.

mod arguments;
mod items;
mod texts;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use crate::package::{Diagnostic, Packages};

/// An attribute with its arguments on an item named `kept`.
pub(crate) struct Malformed {
    attribute: &'static str,
    arguments: String,
    item: &'static str,
    /// The word of the item at which an error about it may be reported.
    keyword: &'static str,
}

impl Malformed {
    /// On a function that the attribute could measure.
    fn over_function(attribute: &'static str, arguments: impl Into<String>) -> Self {
        let item = match attribute {
            "timed_subsystem" => "pub fn kept() {}",
            "capital_check" => "pub fn kept() -> Capital { Capital::default() }",
            "reconciliation" => "pub fn kept() -> ReconciliationReport { ReconciliationReport::default() }",
            _ => "pub fn kept() -> Result<(), std::io::Error> { Ok(()) }",
        };
        Self { attribute, arguments: arguments.into(), item, keyword: "" }
    }

    fn text(&self) -> String {
        match &self.arguments {
            none if none.is_empty() => format!("#[{}]", self.attribute),
            arguments => format!("#[{}({arguments})]", self.attribute),
        }
    }
}

/// All cases, without duplicates.
fn malformed() -> Vec<Malformed> {
    let all = arguments::malformed().into_iter().chain(texts::malformed()).chain(items::malformed());
    let all: BTreeMap<_, _> = all.map(|case| ((case.text(), case.item), case)).collect();
    all.into_values().collect()
}

/// The position of a case in the source.
struct Place {
    attribute: RangeInclusive<u64>,
    /// Line, first and last column of the keyword.
    keyword: [u64; 3],
}

/// The families named by `timed` and `counted`.
const FAMILIES: &str = "pub mod families {
    bot_metrics::metrics! {
        /// Time of calls.
        pub histogram calls_seconds { severity: bot_metrics::labels::Severity } buckets(1)
        /// Calls.
        pub counter calls_total { severity: bot_metrics::labels::Severity }
    }
}
";

/// A module for each case, and a use of each kept item.
fn source(cases: &[Malformed]) -> (String, Vec<Place>) {
    let mut source = "#![allow(warnings)]\n".to_owned();
    source.push_str(FAMILIES);
    let mut places = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        writeln!(source, "pub mod case_{index} {{\n    use bot_metrics::prelude::*;").unwrap();
        let first = line_count(&source) + 1;
        writeln!(source, "{}", case.text()).unwrap();
        let last = line_count(&source);
        let column = case.item.find(case.keyword).unwrap() as u64 + 1;
        let keyword = [last + 1, column, column + case.keyword.len() as u64];
        places.push(Place { attribute: first..=last, keyword });
        writeln!(source, "{}\n}}", case.item).unwrap();
    }
    writeln!(source, "mod uses {{").unwrap();
    for index in 0..cases.len() {
        writeln!(source, "    use super::case_{index}::kept as _;").unwrap();
    }
    writeln!(source, "}}").unwrap();
    (source, places)
}

fn line_count(text: &str) -> u64 {
    text.lines().count() as u64
}

/// The compiler's errors for `source`.
fn errors(name: &str, source: &str, switch: fn(&Packages, &str)) -> Vec<Diagnostic> {
    let mut packages = Packages::new(name);
    packages.add("malformed", "2024", "", &[("lib.rs", source.to_owned())]);
    switch(&packages, "malformed");
    let found = packages.diagnostics(&["check"]);
    found.into_values().flatten().filter(|diagnostic| diagnostic.level == "error").collect()
}

fn is_on_keyword(place: &Place, [line, column, last_line, last_column]: [u64; 4]) -> bool {
    [line, column, last_column] == place.keyword && line == last_line
}

fn assert_refused(cases: &[Malformed], places: &[Place], errors: &[Diagnostic]) {
    let panicked: Vec<_> = errors
        .iter()
        .filter(|error| error.message.contains("ro panicked") || error.message.contains("attribute panicked"))
        .collect();
    assert!(panicked.is_empty(), "{panicked:#?}");
    let mut elsewhere: Vec<_> = errors.iter().collect();
    let mut accepted = Vec::new();
    for (case, place) in cases.iter().zip(places) {
        let before = elsewhere.len();
        elsewhere.retain(|error| {
            !error.places.iter().all(|span| {
                is_on_keyword(place, *span)
                    || place.attribute.contains(&span[0]) && place.attribute.contains(&span[2])
            })
        });
        if elsewhere.len() == before {
            accepted.push(format!("{} {}", case.text(), case.item));
        }
    }
    assert!(accepted.is_empty(), "{} accepted: {accepted:#?}", accepted.len());
    assert!(elsewhere.is_empty(), "{} stand elsewhere: {elsewhere:#?}", elsewhere.len());
}

#[test]
fn every_malformed_attribute_is_rejected_at_its_position_and_its_item_kept() {
    let cases = malformed();
    println!("{} malformed attributes", cases.len());
    assert!(cases.len() >= 300);
    let (source, places) = source(&cases);
    let on = errors("malformed-on", &source, |_, _| {});
    assert_refused(&cases, &places, &on);
    let off = errors("malformed-off", &source, Packages::switch_off);
    assert_refused(&cases, &places, &off);
    assert_eq!(on, off, "the feature does not change the errors");
}
