//! Errors in an annotated body are reported once, and at their original position.

use crate::package::{Diagnostic, Packages, plain, source};

/// Functions with one mistake each, found by the type or borrow checker, each first in its file.
const MISTAKES: &str = "body_errors/mistakes.rs";

#[test]
fn errors_in_bodies_are_reported_where_they_are_without_the_attribute() {
    let mut packages = Packages::new("body-errors");
    let mistakes = source(MISTAKES);
    let (prelude, mistakes) = mistakes.split_once("// ---\n").unwrap();
    let mistakes: Vec<String> =
        mistakes.split("// ---\n").map(|mistake| format!("{prelude}{mistake}")).collect();
    for (kind, edit) in [("annotated", str::to_owned as fn(&str) -> String), ("plain", plain)] {
        let names: Vec<String> =
            (0..mistakes.len()).map(|index| format!("bin/mistake-{index:02}.rs")).collect();
        let files: Vec<_> =
            names.iter().map(String::as_str).zip(mistakes.iter().map(|mistake| edit(mistake))).collect();
        packages.add(kind, "2024", "", &files);
    }
    let found = packages.diagnostics(&["check"]);
    let of = |kind: &str, index: usize| {
        let diagnostics = found.get(&format!("{kind}/mistake-{index:02}")).cloned().unwrap_or_default();
        let errors = diagnostics.into_iter().filter(|diagnostic| diagnostic.level == "error");
        errors.map(|Diagnostic { places, code, .. }| (places, code)).collect::<Vec<_>>()
    };
    let mut same = 0;
    let mut moved = Vec::new();
    for (index, mistake) in mistakes.iter().enumerate() {
        let (annotated, plain) = (of("annotated", index), of("plain", index));
        assert!(!plain.is_empty(), "no mistake: {mistake}");
        let places = |errors: &[(Vec<[u64; 4]>, String)]| -> Vec<_> {
            errors.iter().map(|error| error.0.clone()).collect()
        };
        if places(&annotated) == places(&plain) {
            same += 1;
        } else {
            moved.push(format!(
                "{}\nannotated {annotated:?}\nplain {plain:?}",
                mistake.trim_start_matches(prelude)
            ));
        }
    }
    assert!(moved.is_empty(), "{same} of {} are the same; the others:\n{}", mistakes.len(), moved.join("\n"));
}
