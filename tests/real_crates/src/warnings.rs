//! The warnings of the compiler and clippy for a crate, with positions in its published sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::copies::Copied;
use crate::crates::Crate;
use crate::workspace::{Copy, build};

/// A message of the compiler.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    pub lint: String,
    pub message: String,
    /// File, first and last byte of each position.
    pub places: Vec<(PathBuf, usize, usize)>,
    /// The text printed by the compiler.
    pub rendered: String,
}

/// The warnings of each crate.
pub type Warnings = BTreeMap<String, Vec<Warning>>;

/// Runs clippy, which includes the compiler's own lints, on the crates of a copy.
///
/// # Errors
///
/// If a crate does not compile: the compiler's messages.
pub fn warnings(copy: Copy, crates: &[(&Crate, &Copied)]) -> Result<Warnings, String> {
    let names: Vec<_> = crates.iter().map(|(krate, _)| *krate).collect();
    let lints = ["--", "-W", "clippy::pedantic", "-W", "clippy::nursery"];
    let messages = build(copy, &names, &["clippy", "--no-deps", "--lib", "--bins"], &lints)?;
    let mut found = Warnings::new();
    for message in &messages {
        let Some((krate, copied)) = crates.iter().find(|(krate, _)| is_of(message, krate)) else { continue };
        let directory = Path::new(copy.name()).join(krate.name);
        let trace = |file: &Path, offset| match (copy, copied.edits.get(file)) {
            (Copy::Annotated, Some(edits)) => edits.original(offset),
            _ => offset,
        };
        found.entry(krate.name.to_owned()).or_default().extend(warning(
            &message["message"],
            &directory,
            trace,
        ));
    }
    Ok(found)
}

/// Whether cargo reports something of this crate's copy.
pub fn is_of(message: &Value, krate: &Crate) -> bool {
    let manifest = message["manifest_path"].as_str().map(Path::new);
    manifest.and_then(Path::parent).and_then(Path::file_name).is_some_and(|name| name == krate.name)
}

fn warning(message: &Value, directory: &Path, trace: impl Fn(&Path, usize) -> usize) -> Option<Warning> {
    let spans = message["spans"].as_array()?.iter().filter(|span| span["is_primary"] == true);
    let places: Vec<_> = spans
        .map(|span| {
            let file = Path::new(span["file_name"].as_str().unwrap_or_default());
            let file = file.strip_prefix(directory).unwrap_or(file);
            let [start, end] = ["byte_start", "byte_end"]
                .map(|key| span[key].as_u64().and_then(|byte| usize::try_from(byte).ok()).unwrap_or(0));
            (file.to_owned(), trace(file, start), trace(file, end))
        })
        .collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    // The last message only gives the number of the others.
    (!places.is_empty()).then(|| Warning {
        lint: text(&message["code"]["code"]),
        message: text(&message["message"]),
        places,
        rendered: text(&message["rendered"]),
    })
}

/// The warnings in `others` whose lint is not in `these` at the same positions. The messages may differ: for a
/// function with a large error clippy reports twice if its body is a closure, once the function and once the closure.
pub fn new_in<'a>(others: &'a [Warning], these: &[Warning]) -> Vec<&'a Warning> {
    let known: BTreeSet<_> = these.iter().map(|warning| (&warning.lint, &warning.places)).collect();
    others.iter().filter(|warning| !known.contains(&(&warning.lint, &warning.places))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(lint: &str, start: usize) -> Warning {
        let places = vec![(PathBuf::from("src/lib.rs"), start, start + 1)];
        Warning { lint: lint.to_owned(), message: String::new(), places, rendered: String::new() }
    }

    #[test]
    fn a_warning_is_new_where_its_lint_or_its_place_is() {
        let plain = [warning("a", 1), warning("b", 2)];
        let annotated = [warning("a", 1), warning("a", 2), warning("c", 2), warning("b", 2)];
        assert_eq!(new_in(&annotated, &plain), [&annotated[1], &annotated[2]]);
        assert!(new_in(&plain, &annotated).is_empty());
    }
}
