//! The root of the workspace, its cargo, and the generated parts of its files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The root of the workspace.
///
/// # Panics
///
/// Never, because this package is inside the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace").to_owned()
}

/// Cargo in the root of the workspace, with the environment of the user who started the tests.
///
/// Cargo describes the package under test in variables. Build scripts, such as that of ring, run again if these differ
/// from the last build, and everything that depends on them is compiled again.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command.current_dir(root());
    command
}

/// The text of a file, by its path from the root.
///
/// # Panics
///
/// If it cannot be read.
#[must_use]
pub fn read(file: &str) -> String {
    let path = root().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Checks that the lines of `file` between `<!-- begin NAME -->` and `<!-- end NAME -->` equal `generated`. If the
/// environment variable `BLESS` is set, writes them instead.
///
/// # Panics
///
/// If the lines differ, or the file has no such lines.
pub fn assert_generated(file: &str, name: &str, generated: &str) {
    let (path, text) = (root().join(file), read(file));
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let start = text.find(&begin).unwrap_or_else(|| panic!("{file} has no line {begin}")) + begin.len();
    let length = text[start..].find(&end).unwrap_or_else(|| panic!("{file} has no line {end}"));
    if text[start..start + length] == *generated {
        return;
    }
    assert!(
        env::var_os("BLESS").is_some(),
        "{file} is stale between {begin}and {end}: run `BLESS=1 cargo test --workspace generated`"
    );
    let fresh = format!("{}{generated}{}", &text[..start], &text[start + length..]);
    fs::write(&path, fresh).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
