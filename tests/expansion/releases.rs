//! The comparison of two releases of a bot, compiled from two copies of its source.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::package::{Packages, source};

/// A change of the source, and the lines about it: one for each change of the metrics, without the prefix of names.
struct Release {
    name: &'static str,
    edits: &'static [(&'static str, &'static str)],
    lines: &'static [&'static str],
}

const fn release(
    name: &'static str,
    edits: &'static [(&'static str, &'static str)],
    lines: &'static [&'static str],
) -> Release {
    Release { name, edits, lines }
}

const RELEASES: [Release; 14] = [
    release(
        "family-renamed",
        &[("signal_to_order_seconds", "signal_to_ack_seconds")],
        &["breaking: signal_to_order_seconds: renamed to bytelyst_bot_signal_to_ack_seconds"],
    ),
    release(
        "type",
        &[
            ("gauge orders_resting", "histogram orders_resting"),
            ("orders_resting { side: labels::Side }", "orders_resting { side: labels::Side } buckets(1, 5)"),
            ("orders_resting(labels::Side::Buy).set", "orders_resting(labels::Side::Buy).observe"),
        ],
        &["breaking: orders_resting: the type changed from gauge to histogram"],
    ),
    release(
        "unit",
        &[("answers_bytes_total", "answers_seconds_total")],
        &[
            "breaking: answers_bytes_total: renamed to bytelyst_bot_answers_seconds_total",
            "breaking: answers_bytes_total: the unit changed from \"bytes\" to \"seconds\"",
        ],
    ),
    release(
        "label-added",
        &[
            (
                "counter signals_total { side: labels::Side }",
                "counter signals_total { side: labels::Side, source: labels::Source }",
            ),
            ("signals_total(labels::Side::Sell)", "signals_total(labels::Side::Sell, labels::Source::Db)"),
        ],
        &["breaking: signals_total: the label \"source\" was added"],
    ),
    release(
        "label-removed",
        &[
            ("counter signals_total { side: labels::Side }", "counter signals_total"),
            ("signals_total(labels::Side::Sell)", "signals_total()"),
        ],
        &["breaking: signals_total: the label \"side\" was removed"],
    ),
    release(
        "label-renamed",
        &[("counter signals_total { side: labels::Side }", "counter signals_total { way: labels::Side }")],
        &["breaking: signals_total: the label \"side\" was renamed to \"way\""],
    ),
    release(
        "label-value",
        &[("op = \"place_order\"", "op = \"replace_order\"")],
        &[
            "breaking: exchange_api_in_flight, exchange_api_latency_seconds, exchange_api_requests_total: the value \"place_order\" of the label \"operation\" was removed",
            "compatible: exchange_api_in_flight, exchange_api_latency_seconds, exchange_api_requests_total: the value \"replace_order\" of the label \"operation\" was added",
        ],
    ),
    release(
        "bucket",
        &[("buckets(0.05, 0.25, 1)", "buckets(0.1, 0.25, 1)")],
        &["breaking: signal_to_order_seconds: bucket bounds were removed: 0.05; added: 0.1"],
    ),
    release(
        "objective",
        &[("threshold = 0.25", "threshold = 1")],
        &["breaking: signal_to_order_seconds: the objective changed from 0.99 within 0.25 to 0.99 within 1"],
    ),
    release(
        "default-label",
        &[(".app(\"desk\")", ".app(\"scalper\")")],
        &["breaking: the default label \"app\" changed from \"desk\" to \"scalper\""],
    ),
    release("help", &[("Signals that a strategy gave.", "Signals of all strategies.")], &[]),
    release(
        "family-removed",
        &[
            ("    /// Bytes of answers that were read.\n    counter answers_bytes_total\n", ""),
            ("    answers_bytes_total().add(100);\n", ""),
        ],
        &["breaking: answers_bytes_total: removed"],
    ),
    release(
        "family-added",
        &[("metrics! {", "metrics! {\n    /// Orders that were filled.\n    counter orders_filled_total\n")],
        &["compatible: orders_filled_total: added"],
    ),
    release(
        "function-moved",
        &[
            ("#[timed_subsystem", "fn helper() {}\n\n#[timed_subsystem"),
            ("fn trade", "fn deal"),
            ("trade()", "{ helper(); deal() }"),
        ],
        &[],
    ),
];

#[test]
fn each_change_between_two_releases_is_classed_and_a_moved_function_is_none() {
    let mut packages = Packages::new("releases");
    let old = source("releases/bot.rs");
    let names = || RELEASES.iter().map(|release| release.name);
    let edited = RELEASES.iter().map(|release| {
        release.edits.iter().fold(old.clone(), |text, (from, to)| {
            assert!(text.contains(from), "{}: the bot has no {from}", release.name);
            text.replace(from, to)
        })
    });
    for (name, text) in ["old"].into_iter().zip([old.clone()]).chain(names().zip(edited)) {
        packages.add(name, "2024", "", &[("main.rs", text)]);
        packages.switch_off(name);
        packages.add_features(name, &["enable", "operations"]);
    }
    let built = packages.cargo(&["build", "--workspace"]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let list = run("old", &["list", "--json"]);
    assert!(list.status.success(), "{list:?}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("old-release.json");
    std::fs::write(&path, &list.stdout).expect("the target directory");
    let path = path.to_str().expect("plain characters");
    for release in &RELEASES {
        let output = run(release.name, &["list", "--diff", path]);
        let text = String::from_utf8(output.stdout)
            .expect("text")
            .replace(": bytelyst_bot_", ": ")
            .replace(", bytelyst_bot_", ", ");
        let is_change = |line: &&str| {
            ["breaking: ", "compatible: ", "information: "].iter().any(|class| line.starts_with(class))
        };
        assert_eq!(
            text.lines().filter(is_change).collect::<Vec<_>>(),
            release.lines,
            "{}: {text}",
            release.name
        );
        let breaks = release.lines.iter().any(|line| line.starts_with("breaking"));
        assert_eq!(output.status.code(), Some(i32::from(breaks)), "{}", release.name);
    }
    let output = run("objective", &["list", "--diff", path]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("used by: ") && text.contains("recording rule "), "{text}");
}

fn run(bot: &str, words: &[&str]) -> Output {
    let bot: PathBuf = Packages::built("debug", bot);
    Command::new(bot).args(words).output().expect("it was built")
}
