//! The structure of the library's crates: the rooms, and the permitted imports between them.
//!
//! A room is a folder or a file directly below `src`. Rooms are on floors, and code imports only from floors below
//! its own, so that a room can be understood without reading anything above it. Dependencies are derived from the
//! paths in the code, in `use` declarations or elsewhere; code that is compiled only for tests may import anything.
//! Not seen are the expansions of derives and other macros, inherent methods that another room defines for a type, and
//! files that `#[path]` or `include!` name.

mod circles;
mod paths;
mod sources;

use std::collections::BTreeSet;

use sources::{Dependency, Sources};

/// The rooms of metrics-core, the top floor first.
///
/// Call sites lie above the families: each remembers the series that its function records to.
const CORE: &[&[&str]] = &[
    &["lib"],
    &["event_layer", "guide", "operations", "push", "testing"],
    &["attributes", "server"],
    &["status"],
    &["linked"],
    &["conformance", "instance"],
    &["sites", "exposition"],
    &["families"],
    &["history", "series"],
    &["storage"],
    &["clock", "exemplars", "outcome"],
    &["catalogue", "labels"],
    &["client", "error", "report"],
    &["lock", "panics", "pem", "shown", "source_line", "sync"],
];

/// The rooms of metrics-macros, the top floor first.
const MACROS: &[&[&str]] = &[
    &["documented", "lib"],
    &["family", "instrument"],
    &["function", "label_value"],
    &["grammar"],
    &["library"],
    &["errors", "spans", "tokens"],
];

/// The maximum number of files of one room that may depend on each other in a circle.
const LARGEST_CIRCLE: usize = 3;

#[test]
fn the_rooms_of_metrics_core_import_only_from_floors_below() {
    assert_eq!(faults(&Sources::of_crate("metrics-core"), CORE), [""; 0]);
}

#[test]
fn the_rooms_of_metrics_macros_import_only_from_floors_below() {
    assert_eq!(faults(&Sources::of_crate("metrics-macros"), MACROS), [""; 0]);
}

/// All faults of the structure, one per line.
fn faults(sources: &Sources, floors: &[&[&str]]) -> Vec<String> {
    let floor_of = |room: &str| floors.iter().position(|floor| floor.contains(&room));
    let mut faults = Vec::new();
    for room in sources.files().map(room) {
        if floor_of(room).is_none() {
            faults.push(format!("the room {room} is on no floor: add it to the list in tests/rooms/main.rs"));
        }
    }
    for room in floors.iter().copied().flatten() {
        if !sources.files().any(|file| self::room(file) == *room) {
            faults.push(format!("there is no room {room}: take it off the list in tests/rooms/main.rs"));
        }
    }
    let dependencies = sources.dependencies();
    for Dependency { from, line, to } in &dependencies {
        let (above, below) = (room(from), room(to));
        if above != below && floor_of(above) >= floor_of(below) {
            faults.push(format!("{from}:{line}: {above} imports from {below}, which is not below it ({to})"));
        }
    }
    let between_files: BTreeSet<_> =
        dependencies.iter().map(|dependency| (&*dependency.from, &*dependency.to)).collect();
    for circle in circles::of(&between_files) {
        let rooms: BTreeSet<_> = circle.iter().map(|file| room(file)).collect();
        // A circle between rooms contains an import that is not downward, which is reported above.
        if rooms.len() == 1 && circle.len() > LARGEST_CIRCLE {
            faults.push(format!(
                "{} files depend on one another, at most {LARGEST_CIRCLE} may: {}",
                circle.len(),
                circle.join(", ")
            ));
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

/// The room of a file, whose path is relative to `src`.
fn room(file: &str) -> &str {
    file.split_once('/').map_or_else(|| file.trim_end_matches(".rs"), |(folder, _)| folder)
}

const FLOORS: &[&[&str]] = &[&["lib"], &["upper"], &["lower"]];

fn faults_of<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
    faults(&Sources::of(files), FLOORS)
}

#[test]
fn an_upward_import_is_reported_with_file_and_line_however_it_is_written() {
    let upper = ("upper.rs", "use crate::lower::Below; pub struct Above; macro_rules! above { () => {} }");
    for import in [
        "use crate::upper::Above;",
        "use crate::{upper::{Above}};",
        "use crate::Above;",
        "use super::upper::Above;",
        "use bot_metrics::upper::Above;",
        "fn f() { let _ = ::bot_metrics::upper::Above; }",
        "pub(crate) use crate::upper::Above as Other;",
        "fn f() { let _ = crate::upper::Above; }",
        "macro_rules! m { () => { $crate::upper::Above } }",
        "fn f() { crate::above!() }",
        "mod inner { use super::super::upper::Above; }",
        "/// ```\n/// ```\n#[cfg(not(test))] type A = crate::upper::Above;",
    ] {
        let lib = ("lib.rs", "mod upper;\nmod lower;\npub use upper::Above;");
        let lower = format!("pub struct Below;\n\n{import}");
        let faults = faults_of([lib, upper, ("lower.rs", &lower)]);
        let line = 2 + import.lines().count();
        let expected = format!("lower.rs:{line}: lower imports from upper, which is not below it (upper.rs)");
        assert_eq!(faults, [expected], "{import}");
    }
}

#[test]
fn text_and_code_for_tests_import_nothing() {
    let lower = "//! See crate::upper.\n/// [`Above`](crate::upper::Above)\nconst TEXT: &str = \"crate::upper\";\n\
                 #[cfg(test)]\nmod tests {\n    use crate::upper::Above;\n}\n#[cfg(test)]\nuse crate::upper::Above;";
    assert_eq!(faults_of([("lib.rs", ""), ("upper.rs", ""), ("lower.rs", lower)]), [""; 0]);
    let in_tests = ("lower/tests.rs", "use crate::upper::Above;");
    assert_eq!(faults_of([("lib.rs", ""), ("upper.rs", ""), ("lower/mod.rs", ""), in_tests]), [""; 0]);
}

#[test]
fn a_circle_of_more_than_three_files_in_a_room_is_reported() {
    let files = |last| {
        [
            ("lib.rs", ""),
            ("upper.rs", ""),
            ("lower/mod.rs", "mod a; mod b; mod c; mod d; pub use self::d::D;"),
            ("lower/a.rs", "use super::b::B; pub struct A;"),
            ("lower/b.rs", "use crate::lower::c::C; pub struct B;"),
            ("lower/c.rs", "use super::D; pub struct C;"),
            ("lower/d.rs", last),
        ]
    };
    assert_eq!(faults_of(files("pub struct D(super::b::B);")), [""; 0]);
    let circle =
        "4 files depend on one another, at most 3 may: lower/a.rs, lower/b.rs, lower/c.rs, lower/d.rs";
    assert_eq!(faults_of(files("pub struct D(super::a::A);")), [circle]);
}

#[test]
fn the_list_of_rooms_is_complete() {
    let faults = faults_of([("lib.rs", ""), ("upper.rs", ""), ("attic/mod.rs", "")]);
    assert_eq!(
        faults,
        [
            "the room attic is on no floor: add it to the list in tests/rooms/main.rs",
            "there is no room lower: take it off the list in tests/rooms/main.rs"
        ]
    );
}
