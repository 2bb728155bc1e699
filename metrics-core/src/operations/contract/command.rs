//! `list --diff OLD.json`.

use std::fs;
use std::path::{Path, PathBuf};

use super::change::Class;
use super::{compare, report};
use crate::linked::{FORMAT, LinkedCatalogue};
use crate::operations::Output;

// The comparison with an earlier release; a doc comment would replace the text of the command.
#[derive(Debug, clap::Args)]
pub(in crate::operations) struct DiffOptions {
    /// Compares with the list of an earlier release, which `list --json` wrote: the exit code is 1 if a change breaks
    /// queries, and 2 if the file cannot be read.
    #[arg(long, value_name = "OLD.json", conflicts_with = "json")]
    diff: Option<PathBuf>,
    /// The form of the changes: for a person, or as annotations of a GitHub workflow.
    #[arg(long, value_enum, default_value = "plain", requires = "diff")]
    format: Form,
    /// Lists also the changes on which no query depends: help texts, and moved or renamed functions.
    #[arg(long, requires = "diff")]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    Plain,
    Github,
}

impl DiffOptions {
    /// The comparison of the earlier release with this one; `None` if none is wanted.
    pub(in crate::operations) fn output(&self, new: &LinkedCatalogue) -> Option<Output> {
        let old = read_catalogue(self.diff.as_ref()?);
        Some(old.map_or_else(|error| Output::mistake(&error), |old| self.compared(&old, new)))
    }

    fn compared(&self, old: &LinkedCatalogue, new: &LinkedCatalogue) -> Output {
        let mut changes = compare(old, new);
        if !self.verbose {
            changes.retain(|change| change.class != Class::Information);
        }
        let text = match self.format {
            Form::Plain => report::plain(&changes),
            Form::Github => report::github(&changes),
        };
        let is_broken = changes.iter().any(|change| change.class == Class::Breaking);
        Output { code: u8::from(is_broken), ..Output::success(text) }
    }
}

/// Reads a catalogue that `list --json` wrote.
pub(in crate::operations) fn read_catalogue(path: &Path) -> Result<LinkedCatalogue, String> {
    let wrong = |reason: &dyn std::fmt::Display| {
        format!(
            "cannot read the list of metrics {}: {reason}; `metrics list --json` writes it",
            path.display()
        )
    };
    let text = fs::read_to_string(path).map_err(|cause| wrong(&cause))?;
    let catalogue: LinkedCatalogue = serde_json::from_str(&text).map_err(|cause| wrong(&cause))?;
    if catalogue.format > FORMAT {
        let format = catalogue.format;
        return Err(wrong(&format_args!(
            "its format {format} is newer than {FORMAT}, the newest that this bot reads"
        )));
    }
    Ok(catalogue)
}
