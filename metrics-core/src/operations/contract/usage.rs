//! Which generated rules and panels depend on a part of a family.

use std::collections::BTreeSet;

use crate::linked::{LinkedCatalogue, LinkedFamily};
use crate::operations::queries::{Query, QueryPlace, queries};

/// The part of a family that a query may depend on.
#[derive(Clone, Copy, Debug)]
pub(super) enum FamilyPart<'a> {
    All,
    Label(&'a str),
    /// A label and its value.
    Value(&'a str, &'a str),
    Buckets,
}

/// The generated queries of a catalogue.
pub(super) struct Usage {
    queries: Vec<ReadQuery>,
}

/// A query, and the words in it.
struct ReadQuery {
    query: Query,
    words: BTreeSet<String>,
}

impl Usage {
    pub(super) fn of(catalogue: &LinkedCatalogue) -> Self {
        let read = |query: Query| {
            let is_delimiter = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':');
            let text = format!("{} {}", query.expr, query.annotations);
            let words = text.split(is_delimiter).filter(|word| !word.is_empty()).map(str::to_owned);
            ReadQuery { words: words.collect(), query }
        };
        Self { queries: queries(catalogue, None).into_iter().map(read).collect() }
    }

    /// The queries that depend on this part of a family, directly or by a recording rule.
    pub(super) fn of_family(&self, family: &LinkedFamily, part: FamilyPart<'_>) -> Vec<String> {
        let bucket = format!("{}_bucket", family.name);
        let of_kind = family.kind.suffixes().iter().map(|suffix| format!("{}{suffix}", family.name));
        let all: Vec<_> = of_kind.chain([family.name.clone()]).collect();
        let users = match part {
            FamilyPart::Buckets => self.users(&[bucket]),
            FamilyPart::All | FamilyPart::Label(_) | FamilyPart::Value(..) => self.users(&all),
        };
        let has = |read: &&ReadQuery| match part {
            FamilyPart::All | FamilyPart::Buckets => true,
            FamilyPart::Label(label) => read.words.contains(label),
            // In quotes, alone or as one of several in a regular expression.
            FamilyPart::Value(label, value) => {
                read.words.contains(label) && read.query.expr.split(['"', '|']).any(|text| text == value)
            }
        };
        users.into_iter().filter(has).map(|read| read.query.to_string()).collect()
    }

    /// The queries of families with this prefix.
    pub(super) fn of_prefix(&self, prefix: &str) -> Vec<String> {
        self.of_queries(|read| read.words.iter().any(|word| word.starts_with(prefix)))
    }

    /// The queries that name a default label.
    pub(super) fn of_default_label(&self, label: &str) -> Vec<String> {
        self.of_queries(|read| read.words.contains(label))
    }

    /// The queries that depend on the value of a default label. The dashboard's variables offer all values.
    pub(super) fn of_default_value(&self, label: &str, value: &str) -> Vec<String> {
        let quoted = format!("\"{value}\"");
        self.of_queries(|read| {
            let names_label = read.words.contains(label) && read.query.place != QueryPlace::Dashboard;
            names_label || read.query.expr.contains(&quoted)
        })
    }

    fn of_queries(&self, has: impl Fn(&ReadQuery) -> bool) -> Vec<String> {
        self.queries.iter().filter(|read| has(read)).map(|read| read.query.to_string()).collect()
    }

    /// The queries that read one of these series, or a recording rule that does.
    fn users(&self, series: &[String]) -> Vec<&ReadQuery> {
        let mut names: BTreeSet<&str> = series.iter().map(String::as_str).collect();
        loop {
            let reads = |read: &&ReadQuery| names.iter().any(|name| read.words.contains(*name));
            let users: Vec<_> = self.queries.iter().filter(reads).collect();
            let count = names.len();
            names.extend(users.iter().filter_map(|read| read.query.recorded_series()));
            if names.len() == count {
                return users;
            }
        }
    }
}
