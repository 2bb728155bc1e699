//! Without the feature `enable` an annotated function is unchanged.

use std::process::Command;

use crate::package::{Packages, plain, source};

const DEPENDENCIES: &str =
    "async-trait = \"0.1\"\ntokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n";

/// The sources with the functions that the other tests measure.
const SHAPES: [&str; 4] = ["functions.rs", "methods.rs", "futures.rs", "lints.rs"];

#[test]
fn nothing_is_added_to_a_function() {
    let mut packages = Packages::new("switched-off");
    let source = source("switched_off/functions.rs");
    packages.add("functions", "2024", "", &[("lib.rs", source.clone())]);
    packages.switch_off("functions");
    let annotated = packages.instructions("functions", &source);
    assert!(annotated.contains("classified") && annotated.lines().count() > 300, "{annotated}");
    assert_eq!(annotated, packages.instructions("functions", &plain(&source)));
}

#[test]
fn every_shape_compiles_without_a_lint_of_its_own() {
    let mut packages = Packages::new("switched-off-shapes");
    for (name, edit) in [("annotated", str::to_owned as fn(&str) -> String), ("plain", plain)] {
        let sources = SHAPES.iter().map(|file| (*file, edit(&source(&format!("shapes/{file}")))));
        let modules = "#![warn(clippy::all, clippy::pedantic, unused)]\npub mod functions;\npub mod methods;\n\
            pub mod futures;\npub mod lints;\n";
        let files: Vec<_> = sources.chain([("lib.rs", modules.to_owned())]).collect();
        packages.add(name, "2024", DEPENDENCIES, &files);
        packages.switch_off(name);
    }
    let found = packages.diagnostics(&["clippy"]);
    let (annotated, plain) = (&found["annotated/annotated"], &found["plain/plain"]);
    let new: Vec<_> = annotated.iter().filter(|diagnostic| !plain.contains(diagnostic)).collect();
    assert!(new.is_empty(), "{new:#?}");
}

#[test]
fn a_bot_runs_and_serves_and_reports_why_nothing_is_recorded() {
    let mut packages = Packages::new("switched-off-bot");
    packages.add("bot", "2024", DEPENDENCIES, &[("main.rs", source("switched_off/bot.rs"))]);
    packages.switch_off("bot");
    packages.add_features("bot", &["server", "tokio"]);
    let built = packages.cargo(&["build"]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let output = Command::new(Packages::built("debug", "bot")).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(told.starts_with("call sites: 0\n# This bot is built without the feature \"enable\""), "{told}");
    for empty in ["families: 0\n", "collected: 0\n", "health: [], events: []\n"] {
        assert!(told.contains(empty), "{empty} not in {told}");
    }
    // The rendered and the served exposition: a single comment.
    assert_eq!(told.matches("# This bot is built").count(), 2, "{told}");
    assert!(!told.contains("# HELP") && !told.contains("bytelyst_bot_"), "{told}");
    let reported = String::from_utf8_lossy(&output.stderr);
    assert!(reported.contains("the feature \"enable\""), "serving says so: {reported}");
}
