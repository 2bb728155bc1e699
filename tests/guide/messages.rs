//! The messages of a running bot that the page of common mistakes quotes. Those of the compiler are checked with its
//! messages in `tests/ui`.

use std::fs;
use std::path::Path;

use bot_metrics_tests::pages::GUIDE;
use bot_metrics_tests::workspace::{read, root};

#[test]
fn every_quoted_message_is_in_the_code() {
    let mut code = String::new();
    collect(&root().join("metrics-core/src"), &mut code);
    let page = read(&format!("{GUIDE}/common_mistakes.md"));
    let rows = page.split_once("| the bot says |").expect("the table").1.lines().skip(2);
    let mut count = 0;
    for row in rows.take_while(|row| row.starts_with('|')) {
        let message = row.split('|').nth(1).unwrap_or_default().trim().trim_matches('`').trim();
        // A bot without the variable is started by the tests of the demos.
        if message.starts_with("PAPER_TRADING is not set") {
            continue;
        }
        // The page has an ellipsis for a value.
        for part in message.split('…') {
            let part = part.trim_matches([' ', ',', ':']);
            assert!(code.contains(part), "{part:?} of {message:?}");
            count += 1;
        }
    }
    assert!(count > 10, "{count} parts");
}

#[test]
fn the_readme_shows_the_compilers_message() {
    let message = read("tests/ui/timed_subsystem/typo_in_subsystem.stderr");
    let text = message.lines().next().expect("a message");
    let readme = read("README.md");
    assert!(text.contains("did you mean \"trading\"") && readme.contains(&format!("\n{text}\n")), "{text}");
}

/// The code of a folder, with literals that span lines joined, and without escapes.
fn collect(folder: &Path, code: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            collect(&entry.path(), code);
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(entry.path()).expect("a source");
            let mut lines = text.split("\\\n");
            code.push_str(&unescaped(lines.next().unwrap_or_default()));
            lines.for_each(|line| code.push_str(&unescaped(line.trim_start())));
        }
    }
}

fn unescaped(line: &str) -> String {
    line.replace("\\\"", "\"")
}
