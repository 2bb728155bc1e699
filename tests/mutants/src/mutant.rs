//! A fault from the list of `cargo mutants`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// A fault: part of a file, and its replacement.
#[derive(Debug, Deserialize)]
pub struct Mutant {
    /// File, line and change.
    pub name: String,
    pub file: PathBuf,
    replacement: String,
    span: Span,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Span {
    start: Position,
    end: Position,
}

/// A position counted from 1; the column counts characters.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Position {
    line: usize,
    column: usize,
}

/// All faults that are possible in a package, in the order of their names.
pub fn list(root: &Path, package: &str) -> Result<Vec<Mutant>, String> {
    let mut command = Command::new("cargo");
    command.args(["mutants", "--list", "--json", "--package", package]).current_dir(root);
    let output = command.output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "`cargo mutants` failed; `cargo install cargo-mutants` installs it: {}",
            stderr.trim()
        ));
    }
    let mut mutants: Vec<Mutant> = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("the list of `cargo mutants`: {error}"))?;
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}

impl Mutant {
    /// The file's text with the fault.
    pub fn apply(&self, text: &str) -> Option<String> {
        let (start, end) = (offset(text, self.span.start)?, offset(text, self.span.end)?);
        Some([&text[..start], &self.replacement, text.get(end..)?].concat())
    }
}

fn offset(text: &str, position: Position) -> Option<usize> {
    let line_start = match position.line.checked_sub(2) {
        None => 0,
        Some(before) => text.match_indices('\n').nth(before)?.0 + 1,
    };
    let column = position.column.checked_sub(1)?;
    let rest = &text[line_start..];
    Some(line_start + rest.char_indices().map(|(index, _)| index).chain([rest.len()]).nth(column)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_one_line_or_of_several_is_replaced() {
        let apply = |start: (usize, usize), end: (usize, usize)| {
            let position = |(line, column)| Position { line, column };
            let span = Span { start: position(start), end: position(end) };
            let mutant =
                Mutant { name: String::new(), file: PathBuf::new(), replacement: "X".to_owned(), span };
            mutant.apply("äb c\nd e\nf")
        };
        assert_eq!(apply((1, 2), (1, 3)).as_deref(), Some("äX c\nd e\nf"));
        assert_eq!(apply((1, 4), (2, 2)).as_deref(), Some("äb X e\nf"));
        assert_eq!(apply((3, 1), (3, 2)).as_deref(), Some("äb c\nd e\nX"));
        assert_eq!(apply((9, 1), (9, 2)), None);
    }
}
