//! Every valid shape of a function compiles in both editions, with the same lints as without its attribute.

use std::collections::BTreeSet;

use crate::package::{Diagnostic, Packages, plain, source};

const FILES: [&str; 4] = ["functions.rs", "methods.rs", "futures.rs", "lints.rs"];

const CRATE: &str = "//! Shapes.\n\
    #![warn(clippy::all, clippy::pedantic, unused, rust_2018_idioms, unreachable_pub, let_underscore_drop)]\n\
    #![warn(single_use_lifetimes, unused_lifetimes, unused_qualifications, unsafe_op_in_unsafe_fn)]\n\
    pub mod functions;\npub mod methods;\npub mod futures;\npub mod lints;\n";

const DEPENDENCIES: &str = "async-trait = \"0.1\"\nfutures-core = \"0.3\"\ntokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n";

/// What clippy tells from a body that is nothing but its last expression, or from an argument that nothing moves.
const LOST: [(&str, &str); 8] = [
    ("methods.rs", "clippy::boxed_local"),
    ("futures.rs", "clippy::manual_async_fn"),
    // Of a function that returns a block as `impl Future`, and of one above `#[tokio::main]`.
    ("futures.rs", "clippy::missing_errors_doc"),
    ("futures.rs", "clippy::missing_panics_doc"),
    ("functions.rs", "clippy::needless_pass_by_value"),
    ("functions.rs", "clippy::unnecessary_wraps"),
    ("lints.rs", "clippy::needless_pass_by_value"),
    ("lints.rs", "clippy::unnecessary_wraps"),
];

#[test]
fn every_shape_compiles_and_clippy_says_no_more_and_no_less() {
    let mut packages = Packages::new("shapes");
    let mut shapes = 0;
    for edition in ["2021", "2024"] {
        let files = |edit: fn(&str) -> String| -> Vec<(&str, String)> {
            let sources = FILES.iter().map(|file| (*file, edit(&source(&format!("shapes/{file}")))));
            sources.chain([("lib.rs", CRATE.to_owned())]).collect()
        };
        packages.add(&format!("annotated-{edition}"), edition, DEPENDENCIES, &files(str::to_owned));
        packages.add(&format!("plain-{edition}"), edition, DEPENDENCIES, &files(plain));
        shapes = FILES.iter().map(|file| source(&format!("shapes/{file}")).matches("fn ").count()).sum();
    }
    assert!(shapes >= 140, "{shapes} shapes");
    let found = packages.diagnostics(&["clippy"]);
    for edition in ["2021", "2024"] {
        let of = |kind: &str| -> BTreeSet<&Diagnostic> {
            found
                .iter()
                .filter(|(target, _)| target.starts_with(&format!("{kind}-{edition}")))
                .flat_map(|(_, d)| d)
                .collect()
        };
        let (annotated, plain) = (of("annotated"), of("plain"));
        let new: Vec<_> = annotated.difference(&plain).collect();
        let known = |lost: &&&Diagnostic| LOST.contains(&(lost.file.as_str(), lost.code.as_str()));
        let lost: Vec<_> = plain.difference(&annotated).filter(|lost| !known(lost)).collect();
        assert!(new.is_empty() && lost.is_empty(), "edition {edition}: new {new:#?}, lost {lost:#?}");
    }
}
