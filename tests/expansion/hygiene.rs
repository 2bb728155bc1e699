//! Annotated functions in crates that shadow, rename or forbid names that an expansion might rely on.

use crate::package::{Packages, source};

/// The crates, one for each way.
const CRATES: [&str; 3] = ["shadowed", "no_prelude", "renamed"];

#[test]
fn annotated_functions_compile_whatever_their_crate_shadows_or_forbids() {
    let mut packages = Packages::new("hygiene");
    for edition in ["2021", "2024"] {
        for name in CRATES {
            let package = format!("{}-{edition}", name.replace('_', "-"));
            packages.add(&package, edition, "", &[("lib.rs", source(&format!("hygiene/{name}.rs")))]);
        }
    }
    packages.rename("renamed-2021", "measure");
    packages.rename("renamed-2024", "measure");
    let found = packages.diagnostics(&["clippy"]);
    let complaints: Vec<_> = found.iter().filter(|(_, diagnostics)| !diagnostics.is_empty()).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}
