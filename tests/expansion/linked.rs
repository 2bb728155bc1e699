//! The list of call sites is complete at link time, although linkers leave out unused code; the exceptions are the
//! documented ones.

use std::process::Command;

use crate::package::{Packages, source};

/// Set to build with every profile.
const LONG: &str = "BOT_METRICS_LONG_TESTS";

/// The profiles, by the directories that cargo names after them, and their settings.
const PROFILES: [(&str, &str); 4] = [
    ("debug", ""),
    ("thin", "inherits = \"release\"\nlto = \"thin\""),
    ("release", ""),
    ("fat", "inherits = \"release\"\nlto = \"fat\"\ncodegen-units = 1"),
];

#[test]
fn every_call_site_that_is_linked_is_listed() {
    let mut packages = Packages::new("linked");
    for library in ["named", "mentioned", "unnamed"] {
        let text = source("linked/library.rs").replace("LIBRARY", library);
        packages.add(library, "2024", "", &[("lib.rs", text)]);
    }
    packages.add("opened", "2024", "", &[("lib.rs", source("linked/opened.rs"))]);
    packages.extend_manifest("opened", "\n[lib]\ncrate-type = [\"cdylib\"]\n");
    let libraries =
        ["named", "mentioned", "unnamed"].map(|name| format!("{name} = {{ path = \"../{name}\" }}\n"));
    let dependencies = format!("libc = \"0.2\"\n{}", libraries.concat());
    packages.add("bot", "2024", &dependencies, &[("main.rs", source("linked/bot.rs"))]);
    for (profile, settings) in PROFILES.iter().filter(|(_, settings)| !settings.is_empty()) {
        packages.extend_workspace(&format!("[profile.{profile}]\n{settings}\n"));
    }
    let long = std::env::var_os(LONG).is_some();
    for (directory, _) in &PROFILES[..if long { 4 } else { 2 }] {
        let profile = if *directory == "debug" { "dev" } else { directory };
        let built = packages.cargo(&["build", "--workspace", "--profile", profile]);
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let bot = Packages::built(directory, "bot");
        let output = Command::new(bot).arg(Packages::built(directory, "libopened.so")).output().unwrap();
        let listed = String::from_utf8_lossy(&output.stdout);
        let expected = [
            // Sorted by file, then by line; the functions in `named` and `mentioned` are never called.
            "bot: main, inner, generic, never_called, get_ticker, mentioned_at_once, mentioned_later, named_at_once, named_later",
            "opened: in_an_opened_library",
        ];
        assert_eq!(listed.lines().collect::<Vec<_>>(), expected, "{directory}: {output:?}");
    }
}

/// Quoted by cargo where two versions meet: the value of the key `links`.
const ONE_VERSION: &str = "all crates of a program must use the same version and source of bot-metrics (no native library is involved)";

#[test]
fn cargo_refuses_two_versions_in_one_program_and_says_why() {
    let mut packages = Packages::new("two-versions");
    packages.add(
        "bot",
        "2024",
        "later = { package = \"bot-metrics\", path = \"../later\" }\n",
        &[("main.rs", "fn main() {}".to_owned())],
    );
    packages.add(
        "later",
        "2024",
        "",
        &[("lib.rs", String::new()), ("../build.rs", "fn main() {}".to_owned())],
    );
    let manifest = format!(
        "[package]\nname = \"bot-metrics\"\nversion = \"99.0.0\"\nedition = \"2024\"\nlinks = \"{ONE_VERSION}\"\n"
    );
    packages.replace_manifest("later", &manifest);
    let output = packages.cargo(&["check"]);
    let message = String::from_utf8_lossy(&output.stderr);
    let refusal = format!(
        "package `bot-metrics` links to the native library `{ONE_VERSION}`, but it conflicts with a previous package"
    );
    assert!(!output.status.success() && message.contains(&refusal), "{message}");
}
