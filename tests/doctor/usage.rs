//! Words, filters and exit codes.

use std::fs;

use bot_metrics_tests::process::Directory;

use super::{Answer, bot, doctor, doctor_on, findings};

#[test]
fn a_mistake_has_the_exit_code_2_and_says_what_is_allowed() {
    for (words, text) in [
        (&["127.0.0.1:5000"][..], "it begins with neither http:// nor https://"),
        (&["http://ali:secret@localhost"], "use --user and --password-file"),
        (&["http://localhost", "--fail-on", "sometimes"], "violation, improvement, information, never"),
        (&["http://localhost", "--only", "labels"], "scrape, conformance, family, type, label"),
        (&["http://localhost", "--timeout", "0"], "must be a number of seconds above 0"),
        (&["http://localhost", "--expect", "/nonexistent/list.json"], "/nonexistent/list.json: No such file"),
        (
            &["http://localhost", "--bearer-token-file", "/nonexistent/token"],
            "/nonexistent/token: No such file",
        ),
        (&["http://localhost", "--user", "ali"], "--password-file"),
        (&["http://localhost", "--prometheus", "localhost"], "it begins with neither"),
        (&["http://localhost", "--job", "bots"], "--prometheus <URL>"),
        (&[], "<URL>"),
    ] {
        let output = doctor(words);
        assert!(output.code == 2 && output.errors.contains(text), "{words:?}: {output:?}");
        assert!(!output.errors.contains("secret"), "{output:?}");
    }
}

#[test]
fn fail_on_decides_about_the_exit_code_and_level_about_the_list() {
    let improvable = Answer::page(bot::page_without("\"cancel_order\""));
    let code = |words: &[&str]| doctor_on(&improvable, words).code;
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--fail-on", "improvement"]), 1);
    assert_eq!(code(&["--fail-on", "improvement", "--level", "violation"]), 1, "not only what is listed");
    assert_eq!(code(&["--fail-on", "never"]), 0);
    assert_eq!(code(&["--fail-on", "improvement", "--skip", "coverage"]), 0);
    let well = Answer::page(bot::page());
    assert_eq!(doctor_on(&well, &["--fail-on", "information"]).code, 1);
    let listed = doctor_on(&improvable, &["--json", "--level", "violation"]);
    assert_eq!(findings(&listed).len(), 0, "{}", listed.text);
    let only = findings(&doctor_on(&improvable, &["--json", "--only", "coverage,clock"]));
    assert!(!only.is_empty() && only.iter().all(|finding| finding.check == "coverage"), "{only:?}");
}

#[test]
fn the_expected_metrics_can_come_from_a_file() {
    let directory = Directory::new();
    let file = directory.path().join("list.json");
    let list = bot_metrics::operations::run(["list", "--json"], &bot::settings()).text;
    fs::write(&file, list.replace("\"cancel_order\"", "\"get_order\"")).expect("a temporary file");
    let path = file.to_str().expect("plain characters");
    let output = doctor_on(&Answer::page(bot::page()), &["--expect", path]);
    assert!(
        output.text.contains("the label operation has unexpected values: \"cancel_order\""),
        "{}",
        output.text
    );
    assert!(
        output.text.contains("absent: cancel with #[exchange_call] of exchange paper, operation get_order"),
        "{}",
        output.text
    );
}

#[test]
fn a_finding_is_a_line_with_its_advice_below() {
    let output = doctor_on(
        &Answer::page(bot::page_with("app=\"desk\"", "app=\"scalper\"")),
        &["--level", "improvement"],
    );
    let start = "improvement (label): app: the value is \"scalper\", expected: \"desk\"\n    Rules and ";
    assert!(output.text.starts_with(start), "{}", output.text);
    assert!(
        output.text.contains("; findings: 0 violation, 1 improvement, 0 information\n"),
        "{}",
        output.text
    );
}
