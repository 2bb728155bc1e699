//! Packages written by a test, and cargo's output for them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Packages in the target directory, in a separate workspace with the dependency versions of this one.
pub(crate) struct Packages {
    root: PathBuf,
    members: Vec<String>,
    sections: String,
}

/// A diagnostic of the compiler or clippy, without the parts that differ between an annotated and a plain package.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Diagnostic {
    pub(crate) file: String,
    pub(crate) code: String,
    /// Its position: first line and column, last line and column, for each primary span.
    pub(crate) places: Vec<[u64; 4]>,
    pub(crate) level: String,
    pub(crate) message: String,
}

impl fmt::Debug for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, code, places, level, message } = self;
        write!(f, "{level}[{code}] {file} {places:?} {message}")
    }
}

impl Packages {
    pub(crate) fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("expansion").join(name);
        let _ = std::fs::remove_dir_all(&root);
        Self { root, members: Vec::new(), sections: String::new() }
    }

    /// Adds a package with these files under `src`.
    pub(crate) fn add(&mut self, name: &str, edition: &str, dependencies: &str, files: &[(&str, String)]) {
        let library = repository().join("metrics-core");
        let library = library.display();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\n\n[dependencies]\n\
             bot-metrics = {{ path = \"{library}\", default-features = false, features = [\"enable\"] }}\n{dependencies}"
        );
        let directory = self.root.join(name);
        write(&directory.join("Cargo.toml"), &manifest);
        for (file, text) in files {
            write(&directory.join("src").join(file), text);
        }
        self.members.push(name.to_owned());
    }

    /// Makes a package depend on the library without the feature `enable`.
    pub(crate) fn switch_off(&self, package: &str) {
        let manifest = self.root.join(package).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap().replace(", features = [\"enable\"]", "");
        write(&manifest, &text);
    }

    /// Adds features of the library to a package that was switched off.
    pub(crate) fn add_features(&self, package: &str, features: &[&str]) {
        let manifest = self.root.join(package).join("Cargo.toml");
        let with = format!("default-features = false, features = {features:?} }}");
        let text = std::fs::read_to_string(&manifest).unwrap().replace("default-features = false }", &with);
        write(&manifest, &text);
    }

    /// Renames the library in a package.
    pub(crate) fn rename(&self, package: &str, name: &str) {
        let manifest = self.root.join(package).join("Cargo.toml");
        let renamed = format!("{name} = {{ package = \"bot-metrics\", ");
        let text = std::fs::read_to_string(&manifest).unwrap().replace("bot-metrics = { ", &renamed);
        write(&manifest, &text);
    }

    /// Adds lines to the manifest of the workspace.
    pub(crate) fn extend_workspace(&mut self, lines: &str) {
        self.sections.push_str(lines);
    }

    /// Replaces a package's manifest.
    pub(crate) fn replace_manifest(&self, package: &str, text: &str) {
        write(&self.root.join(package).join("Cargo.toml"), text);
    }

    /// Adds lines to a package's manifest.
    pub(crate) fn extend_manifest(&self, package: &str, lines: &str) {
        let manifest = self.root.join(package).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap() + lines;
        write(&manifest, &text);
    }

    /// The path of a file built with a profile.
    pub(crate) fn built(profile: &str, file: &str) -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("expansion-target").join(profile).join(file)
    }

    /// Runs cargo on all packages, with the versions of this workspace's lock file.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> std::process::Output {
        let members =
            format!("[workspace]\nresolver = \"3\"\nmembers = {:?}\n{}", self.members, self.sections);
        write(&self.root.join("Cargo.toml"), &members);
        std::fs::copy(repository().join("Cargo.lock"), self.root.join("Cargo.lock")).unwrap();
        Command::new(env!("CARGO"))
            .current_dir(&self.root)
            .arg("--offline")
            .args(arguments)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("expansion-target"))
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap()
    }

    /// The optimised instructions of a package's library with this source.
    pub(crate) fn instructions(&self, package: &str, source: &str) -> String {
        let directory = self.root.join(package);
        write(&directory.join("src/lib.rs"), source);
        let file = directory.join("instructions.s");
        let emit = format!("--emit=asm={}", file.display());
        let built =
            self.cargo(&["rustc", "-p", package, "--lib", "--", "-Copt-level=2", "-Cdebuginfo=0", &emit]);
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        std::fs::read_to_string(file).unwrap()
    }

    /// The diagnostics of `cargo <command> --message-format=json`, by package and target.
    pub(crate) fn diagnostics(&self, command: &[&str]) -> BTreeMap<String, Vec<Diagnostic>> {
        let arguments = [command, &["--workspace", "--keep-going", "--message-format=json"]].concat();
        let output = self.cargo(&arguments);
        let mut found: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let message: Value = serde_json::from_str(line).unwrap();
            if message["reason"] == "compiler-artifact" && self.is_member(&message) {
                found.entry(target(&message)).or_default();
            }
            if message["reason"] == "compiler-message" {
                found.entry(target(&message)).or_default().extend(diagnostic(&message["message"]));
            }
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            self.members.iter().all(|member| found.keys().any(|target| target.starts_with(member))),
            "{errors}"
        );
        for diagnostics in found.values_mut() {
            diagnostics.sort();
            diagnostics.dedup();
        }
        found
    }

    fn is_member(&self, message: &Value) -> bool {
        message["manifest_path"].as_str().is_some_and(|path| Path::new(path).starts_with(&self.root))
    }
}

/// `package/target`.
fn target(message: &Value) -> String {
    let manifest = Path::new(message["manifest_path"].as_str().unwrap());
    let package = manifest.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
    format!("{package}/{}", message["target"]["name"].as_str().unwrap())
}

fn diagnostic(message: &Value) -> Option<Diagnostic> {
    let spans = message["spans"].as_array()?;
    let places = spans.iter().filter(|span| span["is_primary"] == true).map(|span| {
        ["line_start", "column_start", "line_end", "column_end"].map(|key| span[key].as_u64().unwrap())
    });
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    // The last message only gives the number of the others.
    (!spans.is_empty()).then(|| Diagnostic {
        file: Path::new(&text(&spans[0]["file_name"]))
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        code: text(&message["code"]["code"]),
        places: places.collect(),
        level: text(&message["level"]),
        message: text(&message["message"]),
    })
}

/// `source` with each attribute replaced by a comment: the plain functions, at the same positions.
pub(crate) fn plain(source: &str) -> String {
    const ATTRIBUTES: [&str; 5] =
        ["timed_subsystem", "exchange_call", "operational_event", "capital_check", "reconciliation"];
    let mut plain = String::new();
    for line in source.lines() {
        let ours = line
            .trim_start()
            .strip_prefix("#[")
            .is_some_and(|rest| ATTRIBUTES.iter().any(|name| rest.starts_with(name)));
        writeln!(plain, "{}", if ours { "//" } else { line }).unwrap();
    }
    plain
}

/// A source beside this file.
pub(crate) fn source(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("expansion").join(path)).unwrap()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
