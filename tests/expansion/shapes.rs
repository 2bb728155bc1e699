//! Every valid shape of a function compiles in both editions, with the same lints as without its attribute.

use std::collections::BTreeSet;

use crate::package::{Diagnostic, Packages, plain, source};

const FILES: [&str; 4] = ["functions.rs", "methods.rs", "futures.rs", "lints.rs"];

const CRATE: &str = "//! Shapes.\n\
    #![warn(clippy::all, clippy::pedantic, clippy::nursery, unused, rust_2018_idioms, unreachable_pub, let_underscore_drop)]\n\
    #![warn(single_use_lifetimes, unused_lifetimes, unused_qualifications, unsafe_op_in_unsafe_fn)]\n\
    pub mod functions;\npub mod methods;\npub mod futures;\npub mod lints;\n";

const DEPENDENCIES: &str = "async-trait = \"0.1\"\nfutures-core = \"0.3\"\ntokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n";

/// Lints that clippy reports only for a body that is more than its last expression, or for an argument that the body
/// does not move: the file, the function and the lint.
const LOST: [(&str, &str, &str); 17] = [
    ("functions.rs", "attributes_of_arguments", "clippy::needless_pass_by_value"),
    ("functions.rs", "inside", "clippy::unnecessary_wraps"),
    ("futures.rs", "above_tokio_main", "clippy::missing_panics_doc"),
    ("futures.rs", "answer", "clippy::manual_async_fn"),
    ("futures.rs", "answer", "clippy::missing_errors_doc"),
    ("futures.rs", "impl_future", "clippy::manual_async_fn"),
    ("futures.rs", "impl_future_after_statements", "clippy::missing_errors_doc"),
    ("futures.rs", "issue", "clippy::missing_errors_doc"),
    ("lints.rs", "begins_with_an_item_and_moves", "clippy::needless_pass_by_value"),
    ("lints.rs", "dead_code", "clippy::unnecessary_wraps"),
    ("lints.rs", "dead_method", "clippy::unnecessary_wraps"),
    ("lints.rs", "dead_result", "clippy::unnecessary_wraps"),
    ("lints.rs", "expected_dead_code", "clippy::unnecessary_wraps"),
    ("lints.rs", "expected_unused", "clippy::needless_pass_by_value"),
    ("lints.rs", "unused", "clippy::needless_pass_by_value"),
    ("lints.rs", "used_in_the_attribute_too", "clippy::needless_pass_by_value"),
    ("methods.rs", "boxed", "clippy::boxed_local"),
];

/// Lints that clippy adds for the closure around a body. `result_large_err` reads the type of its value, in any
/// spelling, and repeats the lint of the function. `use_self` reads each name in a written type.
const GAINED: [(&str, &str, &str); 2] =
    [("lints.rs", "into_text", "clippy::use_self"), ("lints.rs", "large_error", "clippy::result_large_err")];

#[test]
fn every_shape_compiles_with_the_same_clippy_lints() {
    let mut packages = Packages::new("shapes");
    for edition in ["2021", "2024"] {
        let files = |edit: fn(&str) -> String| -> Vec<(&str, String)> {
            let sources = FILES.iter().map(|file| (*file, edit(&source(&format!("shapes/{file}")))));
            sources.chain([("lib.rs", CRATE.to_owned())]).collect()
        };
        packages.add(&format!("annotated-{edition}"), edition, DEPENDENCIES, &files(str::to_owned));
        packages.add(&format!("plain-{edition}"), edition, DEPENDENCIES, &files(plain));
    }
    let shapes: usize =
        FILES.iter().map(|file| annotated_functions(&source(&format!("shapes/{file}")))).sum();
    assert!(shapes >= 140, "{shapes} shapes");
    let found = packages.diagnostics(&["clippy", "--all-targets"]);
    let errors: Vec<_> = found.values().flatten().filter(|diagnostic| diagnostic.level == "error").collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for edition in ["2021", "2024"] {
        let of = |kind: &str| -> BTreeSet<&Diagnostic> {
            found
                .iter()
                .filter(|(target, _)| target.starts_with(&format!("{kind}-{edition}")))
                .flat_map(|(_, d)| d)
                .collect()
        };
        let (annotated, plain) = (of("annotated"), of("plain"));
        let new: Vec<_> = annotated.difference(&plain).copied().collect();
        assert_eq!(by_function(&new), known(GAINED), "edition {edition}: {new:#?}");
        // A function that is measured cannot be `const`.
        let expected = |lost: &&&Diagnostic| lost.code != "clippy::missing_const_for_fn";
        let lost: Vec<_> = plain.difference(&annotated).filter(expected).copied().collect();
        assert_eq!(by_function(&lost), known(LOST), "edition {edition}");
    }
}

/// The file, the function and the lint of each.
fn by_function(diagnostics: &[&Diagnostic]) -> BTreeSet<[String; 3]> {
    let by_function = diagnostics.iter().map(|diagnostic| {
        let source = source(&format!("shapes/{}", diagnostic.file));
        let function = function_at(&source, diagnostic.places[0][0]);
        [diagnostic.file.clone(), function, diagnostic.code.clone()]
    });
    by_function.collect()
}

fn known<const N: usize>(lints: [(&str, &str, &str); N]) -> BTreeSet<[String; 3]> {
    lints.map(|(file, function, lint)| [file, function, lint].map(str::to_owned)).into()
}

/// The number of annotated functions; an annotated block counts as one.
fn annotated_functions(source: &str) -> usize {
    let plain = plain(source);
    let mut functions = 0;
    let mut ours = false;
    for (line, plain) in source.lines().zip(plain.lines()) {
        ours |= line != plain;
        if ours && function_in(line).is_some() {
            functions += 1;
            ours = false;
        }
    }
    functions
}

/// The name of the function that contains a line of the source.
fn function_at(source: &str, line: u64) -> String {
    let lines = source.lines().take(usize::try_from(line).unwrap());
    lines.filter_map(function_in).last().unwrap_or_default().to_owned()
}

/// The name of the function whose definition is in a line.
fn function_in(line: &str) -> Option<&str> {
    let (before, name) = line.split_once("fn ")?;
    let begins = before.is_empty() || before.ends_with(' ');
    begins.then(|| name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
}
