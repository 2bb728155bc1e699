//! The files of a crate, and the dependencies between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bot_metrics_tests::workspace::root;

use crate::paths::{Code, Written};
use crate::room;

/// A dependency: a file's code refers to an item of another file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dependency {
    pub(crate) from: String,
    pub(crate) line: usize,
    pub(crate) to: String,
}

/// The files below a crate's `src`, by their relative path and without test files.
pub(crate) struct Sources(BTreeMap<String, Code>);

impl Sources {
    /// # Panics
    ///
    /// If a file of the crate in this folder of the workspace cannot be read.
    pub(crate) fn of_crate(folder: &str) -> Self {
        let src = root().join(folder).join("src");
        let mut files = Vec::new();
        collect(&src, &src, &mut files);
        Self::of(files.iter().map(|(file, text)| (&**file, &**text)))
    }

    pub(crate) fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let code =
            files.into_iter().filter(|(file, _)| !file.ends_with("tests.rs") && !file.contains("/tests/"));
        Self(code.map(|(file, text)| (file.to_owned(), Code::of(text))).collect())
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|file| &**file)
    }

    /// Every dependency between two files. An item that a module re-exports from its own room is a dependency of the
    /// files that use it.
    pub(crate) fn dependencies(&self) -> Vec<Dependency> {
        let mut dependencies = Vec::new();
        for (file, code) in &self.0 {
            for path in &code.paths {
                let Some(words) = self.absolute(file, path) else { continue };
                let to = self.file_of(&words);
                let is_passed_on = path.exported_as.is_some() && room(&to) == room(file);
                if to != *file && !is_passed_on {
                    dependencies.push(Dependency { from: file.clone(), line: path.line, to });
                }
            }
        }
        dependencies
    }

    /// The words of a path after `crate`; `None` if it leads out of the crate or refers to an item of its own module.
    fn absolute(&self, file: &str, path: &Written) -> Option<Vec<String>> {
        let mut module = [module_of(file), path.inside.clone()].concat();
        let mut words = &path.words[..];
        match &*words[0] {
            "crate" | "bot_metrics" => module.clear(),
            "self" | "super" => {}
            // A child module, for which `self` is optional.
            child if self.is_module(&[&module[..], &[child.to_owned()]].concat()) => {
                return Some([&module, words].concat());
            }
            _ => return None,
        }
        while let Some((first, rest)) = words.split_first() {
            match &**first {
                "crate" | "bot_metrics" | "self" => {}
                "super" => {
                    module.pop();
                }
                _ => break,
            }
            words = rest;
        }
        Some([&module, words].concat())
    }

    /// The file that defines the item named by `words`.
    fn file_of(&self, words: &[String]) -> String {
        let is_macro = |(_, code): &(&String, &Code)| code.macros.iter().any(|name| *name == words[0]);
        if let Some((file, _)) = self.0.iter().find(is_macro) {
            return file.clone();
        }
        let depth = (0..=words.len()).rev().find(|depth| self.is_module(&words[..*depth])).unwrap_or(0);
        let file = self.file_of_module(&words[..depth]).unwrap_or_else(|| "lib.rs".to_owned());
        let passed_on = words.get(depth).and_then(|name| {
            let exports = |path: &&Written| path.exported_as.as_ref() == Some(name) && path.inside.is_empty();
            let path = self.0[&file].paths.iter().find(exports)?;
            // A re-export from another crate belongs to this file.
            self.absolute(&file, path)
        });
        match passed_on {
            Some(words) if self.file_of_module(&words[..words.len() - 1]).is_some_and(|of| of != file) => {
                self.file_of(&words)
            }
            _ => file,
        }
    }

    fn is_module(&self, words: &[String]) -> bool {
        self.file_of_module(words).is_some()
    }

    fn file_of_module(&self, words: &[String]) -> Option<String> {
        let path = words.join("/");
        let files = if path.is_empty() {
            ["lib.rs".to_owned(), String::new()]
        } else {
            [format!("{path}.rs"), format!("{path}/mod.rs")]
        };
        files.into_iter().find(|file| self.0.contains_key(file))
    }
}

/// The names of the modules that lead to a file.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

fn collect(src: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
        if path.is_dir() {
            collect(src, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let file = path.strip_prefix(src).expect("it is below").to_string_lossy().replace('\\', "/");
            files.push((file, text));
        }
    }
}
