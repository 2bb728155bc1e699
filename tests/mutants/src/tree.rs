//! A copy of the sources, with a separate build directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mutant::Mutant;

pub struct Tree(PathBuf);

impl Tree {
    /// Copies the files that git tracks, as they are in the working tree. The build directory of an earlier run is
    /// kept.
    pub fn copy(root: &Path, name: &str) -> Result<Self, String> {
        let tree = root.join("target/mutants").join(name);
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
        let files = git.output().map_err(|error| format!("git: {error}"))?.stdout;
        let files = String::from_utf8(files).map_err(|error| format!("a file's name: {error}"))?;
        let existing = files.split_terminator('\0').filter(|file| root.join(file).is_file());
        for file in existing {
            copy_changed(&root.join(file), &tree.join(file))?;
        }
        Ok(Self(tree))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Calls `run` while the sources have the fault.
    pub fn with<R>(&self, mutant: &Mutant, run: impl FnOnce() -> R) -> Result<R, String> {
        let file = self.0.join(&mutant.file);
        let text = read(&file)?;
        let changed = mutant.apply(&text).ok_or_else(|| format!("{}: not in the file", mutant.name))?;
        write(&file, &changed)?;
        let result = run();
        write(&file, &text)?;
        Ok(result)
    }
}

/// Unchanged files keep their times, so that they are not rebuilt.
fn copy_changed(from: &Path, to: &Path) -> Result<(), String> {
    let content = fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?;
    if fs::read(to).is_ok_and(|present| present == content) {
        return Ok(());
    }
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // Copies the permissions too, because scripts are executed.
    fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", to.display()))
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}
