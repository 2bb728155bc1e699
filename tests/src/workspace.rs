//! The root of the workspace, and the generated parts of its files.

use std::path::{Path, PathBuf};
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

/// Checks that the lines of `file` between `<!-- begin NAME -->` and `<!-- end NAME -->` equal `generated`. If the
/// environment variable `BLESS` is set, writes them instead.
///
/// # Panics
///
/// If the lines differ, or the file has no such lines.
pub fn assert_generated(file: &str, name: &str, generated: &str) {
    let path = root().join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
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
