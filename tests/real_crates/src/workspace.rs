//! The directories with the crates, plain and annotated, and the calls of cargo in them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::crates::Crate;

/// A copy of the crates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copy {
    /// As published.
    Plain,
    /// With attributes only, so that the compiler's warnings have no other cause.
    Annotated,
    /// With attributes and counters.
    Counted,
}

impl Copy {
    pub const ALL: [Self; 3] = [Self::Plain, Self::Annotated, Self::Counted];

    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Annotated => "annotated",
            Self::Counted => "counted",
        }
    }
}

/// The directory of this package.
pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The directory for sources, builds and counts.
pub fn scratch() -> PathBuf {
    package().join("target").join("scratch")
}

pub fn directory(copy: Copy, krate: &Crate) -> PathBuf {
    scratch().join(copy.name()).join(krate.name)
}

/// The directory of a crate's published sources, which cargo downloads.
///
/// # Errors
///
/// If cargo fails.
pub fn sources(crates: &[&Crate]) -> Result<BTreeMap<String, PathBuf>, String> {
    let root = scratch().join("sources");
    let mut manifest =
        "[package]\nname = \"sources\"\nversion = \"0.0.0\"\n\n[workspace]\n\n[dependencies]\n".to_owned();
    for Crate { name, version, .. } in crates {
        manifest += &format!("{name} = \"={version}\"\n");
    }
    update(&root.join("Cargo.toml"), &manifest);
    update(&root.join("src/lib.rs"), "");
    let output = cargo(&root, ["metadata", "--format-version", "1"]);
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|_| text(&output.stderr))?;
    let mut found = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let is = |krate: &&&Crate| package["name"] == krate.name && package["version"] == krate.version;
        if let (Some(krate), Some(manifest)) = (crates.iter().find(is), package["manifest_path"].as_str()) {
            found.insert(krate.name.to_owned(), Path::new(manifest).with_file_name(""));
        }
    }
    Ok(found)
}

/// Writes the manifest of the workspace, which contains one copy's crates at a time: cargo would take equal paths
/// below two workspaces for one package. The lock file is part of this package, so that each run builds the same
/// versions.
fn write_workspace(copy: Copy, crates: &[&Crate]) -> PathBuf {
    let root = scratch();
    let members: Vec<_> = crates.iter().map(|krate| format!("{}/{}", copy.name(), krate.name)).collect();
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = {members:?}\nexclude = [\"counters\", \"sources\"]\n\n[profile.dev]\ndebug = 0\nincremental = false\n"
    );
    update(&root.join("Cargo.toml"), &manifest);
    if let Ok(lock) = fs::read_to_string(package().join("crates.lock")) {
        update(&root.join("Cargo.lock"), &lock);
    }
    root
}

/// Runs cargo; the builds of all copies share their common dependencies.
pub fn cargo<S: AsRef<OsStr>>(root: &Path, arguments: impl IntoIterator<Item = S>) -> Output {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(root);
    command.env("CARGO_TARGET_DIR", scratch().join("build"));
    // As for dependencies, lints that a crate denies become warnings.
    command.env("RUSTFLAGS", "--cap-lints=warn");
    // Variables that cargo sets for this program.
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH");
    command.output().expect("cargo is there")
}

/// Runs a cargo command on the crates of a copy with their features, and returns its JSON messages.
///
/// # Errors
///
/// If it fails: the compiler's messages.
pub fn build(copy: Copy, crates: &[&Crate], command: &[&str], tail: &[&str]) -> Result<Vec<Value>, String> {
    let mut arguments: Vec<String> = command.iter().map(|argument| (*argument).to_owned()).collect();
    arguments.extend(["--workspace".to_owned(), "--message-format=json".to_owned()]);
    for krate in crates {
        for feature in krate.features {
            arguments.extend(["--features".to_owned(), format!("{}/{feature}", krate.name)]);
        }
    }
    arguments.extend(tail.iter().map(|argument| (*argument).to_owned()));
    let output = cargo(&write_workspace(copy, crates), arguments);
    let lines = text(&output.stdout);
    let messages: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if output.status.success() {
        return Ok(messages);
    }
    let errors = messages.iter().filter(|message| message["message"]["level"] == "error");
    let errors: String = errors.filter_map(|message| message["message"]["rendered"].as_str()).collect();
    Err(if errors.is_empty() { text(&output.stderr) } else { errors })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Writes a file unless its text is the same, since cargo would compile it again.
pub fn update(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a file has a directory")).expect("a directory to write to");
    fs::write(path, text).expect("a directory to write to");
}

/// The files below a directory, sorted.
///
/// # Errors
///
/// If a directory cannot be read.
pub fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
