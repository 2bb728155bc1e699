//! The commands in the guide. Those that only other programs know are listed.

use std::fs;

use bot_metrics::{Mode, Settings, operations};
use bot_metrics_tests::pages::{Block, blocks};
use bot_metrics_tests::process::Directory;
use bot_metrics_tests::workspace::root;

/// Programs whose arguments are not checked here. Those that check the generated files are run by `tests/servers`, and
/// those that copy the template by the test of the template.
const OTHERS: [&str; 9] =
    ["cp", "cd", "sed", "ssh", "promtool", "amtool", "prometheus", "alertmanager", "docker"];

const PATHS: [&str; 4] = ["/metrics", "/-/healthy", "/-/ready", "/status.json"];

#[test]
fn every_command_exists() {
    let directory = Directory::new();
    let old = directory.path().join("old.json");
    fs::write(&old, run(&["list", "--json"]).text).expect("a file");
    let old = old.to_string_lossy();
    let mut checked = 0;
    for block in blocks(&["sh", "console"]) {
        for line in commands(&block) {
            let words: Vec<_> =
                line.split_whitespace().map(|word| if word == "old.json" { &old } else { word }).collect();
            check(&words, &block);
            checked += 1;
        }
    }
    assert!(checked > 25, "{checked} commands");
}

/// The commands of a block, without comments, redirections and variables.
fn commands(block: &Block) -> Vec<String> {
    let is_console = block.language == "console";
    let lines =
        block.text.lines().filter_map(|line| if is_console { line.strip_prefix("$ ") } else { Some(line) });
    let command = |line: &str| {
        let line = line.split(" #").next().unwrap_or_default();
        let line = line.split(" | ").next().unwrap_or_default();
        let words = line.split_whitespace().filter(|word| !word.starts_with('>'));
        let words = words.skip_while(|word| word.contains('=') && !word.starts_with('-'));
        words.collect::<Vec<_>>().join(" ")
    };
    lines.map(command).filter(|line| !line.is_empty()).collect()
}

fn check(words: &[&str], block: &Block) {
    match words {
        ["my-bot" | "paper-bot", "metrics", words @ ..]
        | ["cargo", "run", "--", "metrics", words @ ..]
        | ["cargo", "run", "-q", "--", "metrics", words @ ..] => {
            let output = run(words);
            // Where no bot answers, its check finds that.
            let expected = u8::from(words[0] == "doctor");
            assert_eq!(output.code, expected, "{words:?}: {}", output.errors);
        }
        ["cargo", rest @ ..] => check_cargo(rest, block),
        ["curl", "-s", url] => {
            let path = url.find('/').map_or("", |at| &url[at..]);
            assert!(PATHS.contains(&path), "{url} in {block:?}");
        }
        [script, ..] if script.starts_with(".ci/") => assert!(root().join(script).is_file(), "{script}"),
        [program, ..] => assert!(OTHERS.contains(program), "{program} in {block:?}"),
        [] => {}
    }
}

fn check_cargo(words: &[&str], block: &Block) {
    let after = |option: &str| words.iter().skip_while(move |word| **word != option).nth(1);
    if let Some(bot) = after("--bin").filter(|name| **name != "NAME" && after("--manifest-path").is_none()) {
        let file = root().join("examples/src/bin").join(bot);
        assert!(file.is_dir() || file.with_extension("rs").is_file(), "{bot} in {block:?}");
    }
    if let Some(manifest) = after("--manifest-path") {
        assert!(root().join(manifest).is_file(), "{manifest} in {block:?}");
    }
    let known = ["new", "run", "test", "build", "doc", "install", "deny"];
    assert!(words.first().is_some_and(|word| known.contains(word)), "{words:?} in {block:?}");
}

fn run(words: &[&str]) -> operations::Output {
    // An address at which nothing listens: the check of a bot must not depend on this machine.
    let words = words.iter().map(|word| word.replace("127.0.0.1:5000", "127.0.0.1:1"));
    operations::run(words, &Settings::new(Mode::Paper))
}
