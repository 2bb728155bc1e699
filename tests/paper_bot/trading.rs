use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use bot_metrics::catalogue::{FAMILIES, Family, Kind, Origin};
use bot_metrics::testing::Samples;
use bot_metrics::{LabelValue, Outcome};
use bot_metrics_tests::paper_bot::Running;

/// What the bot calls of an exchange; each must stand in the first scrape, called yet or not.
const OPERATIONS: [&str; 8] = [
    "cancel_order",
    "get_account",
    "get_exchange_info",
    "get_open_orders",
    "get_server_time",
    "get_ticker",
    "get_trades",
    "place_order",
];

#[test]
fn every_linked_series_stands_in_the_first_scrape_of_a_release_build() {
    let bot = Running::start(&["--duration", "5s"]);
    let samples = bot.scrape();
    for subsystem in ["trading", "monitor", "reconciliation"] {
        let labels = [("subsystem", subsystem)];
        assert!(
            samples.value("bytelyst_bot_subsystem_duration_seconds_count", &labels).is_some(),
            "{subsystem}"
        );
        assert_eq!(samples.value("bytelyst_bot_subsystem_alive", &labels), Some(1.0), "{subsystem}");
        for outcome in Outcome::VALUES {
            let labels = [("subsystem", subsystem), ("outcome", outcome)];
            assert!(
                samples.value("bytelyst_bot_subsystem_runs_total", &labels).is_some(),
                "{subsystem} {outcome}"
            );
        }
    }
    for operation in OPERATIONS {
        for outcome in Outcome::VALUES.iter().filter(|outcome| **outcome != "skipped") {
            let labels = [("exchange", "paper"), ("operation", operation), ("outcome", outcome)];
            let name = "bytelyst_bot_exchange_api_requests_total";
            assert!(samples.value(name, &labels).is_some(), "{operation} {outcome}");
        }
    }
    for profile in ["maker-tight", "maker-wide"] {
        let labels = [("profile_id", profile)];
        let violations = samples.value("bytelyst_bot_capital_invariant_violations_total", &labels);
        assert_eq!(violations, Some(0.0), "{profile}");
    }
}

#[test]
fn it_trades_and_serves_the_seeds_nine_families_to_the_letter() {
    let mut bot = Running::start(&["--duration", "20s"]);
    let samples = bot.wait_until("every family of the seed moves", |samples| {
        FAMILIES.iter().filter(|family| family.origin == Origin::Seed).all(|family| {
            samples
                .iter()
                .any(|(series, _)| series.name.starts_with(&format!("bytelyst_bot_{}", family.name)))
        }) && samples.sum("bytelyst_bot_operational_events_total", &[("type", "ORDER_FILLED")]) > 0.0
            && samples.sum("bytelyst_bot_profile_utilization_percent", &[]) > 0.0
    });
    for family in FAMILIES.iter().filter(|family| family.origin == Origin::Seed) {
        assert_labels(&samples, family);
    }
    for series in samples.iter().map(|(series, _)| series) {
        for (name, value) in
            [("app", "bytelyst-trading-bot-service"), ("env", "development"), ("mode", "paper")]
        {
            assert_eq!(series.labels.get(name).map(String::as_str), Some(value), "{series:?}");
        }
    }
    assert_eq!((bot.get("/-/healthy").0, bot.get("/-/ready").0), (200, 200));
    assert_eq!(bot.get("/").0, 200);

    let ended = bot.wait();
    assert!(ended.status.success(), "{ended:?}");
    for done in ["placed", "filled", "cancelled"] {
        let count = count_in_summary(&ended.stdout, done);
        assert!(count > 0, "nothing {done}:\n{}", ended.stdout);
    }
}

/// The number in front of `word` in the summary at the end.
fn count_in_summary(stdout: &str, word: &str) -> u64 {
    let summary = stdout.rfind("summary").map_or("", |at| &stdout[at..]);
    let words: Vec<_> = summary.split_whitespace().collect();
    let found = words.windows(2).find(|pair| pair[1].trim_end_matches([',', ';', '.']) == word);
    found.and_then(|pair| pair[0].parse().ok()).unwrap_or_default()
}

/// Label names, suffixes and bucket bounds are exactly the family's.
fn assert_labels(samples: &Samples, family: &Family) {
    let base = format!("bytelyst_bot_{}", family.name);
    let suffixes: &[&str] =
        if family.kind == Kind::Histogram { &["_bucket", "_sum", "_count"] } else { &[""] };
    let mut bounds: BTreeMap<Vec<&String>, BTreeSet<&str>> = BTreeMap::new();
    for suffix in suffixes {
        let name = format!("{base}{suffix}");
        let mut named =
            samples.iter().map(|(series, _)| series).filter(|series| series.name == name).peekable();
        assert!(named.peek().is_some(), "{name} has no series");
        for series in named {
            let mut expected: BTreeSet<&str> =
                family.labels.iter().copied().chain(["app", "env", "mode"]).collect();
            if *suffix == "_bucket" {
                expected.insert("le");
                let key = family.labels.iter().map(|label| &series.labels[*label]).collect();
                bounds.entry(key).or_default().insert(&series.labels["le"]);
            }
            assert_eq!(series.labels.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{name}");
        }
    }
    let expected: BTreeSet<String> =
        family.buckets.iter().map(ToString::to_string).chain(["+Inf".to_owned()]).collect();
    for bounds in bounds.values() {
        assert_eq!(*bounds, expected.iter().map(String::as_str).collect::<BTreeSet<_>>(), "{base}");
    }
}

#[test]
fn a_supervisors_term_ends_it_cleanly_with_a_summary() {
    let bot = Running::start(&[]);
    let _ = bot.wait_until("an order is placed", |samples| {
        samples.sum("bytelyst_bot_operational_events_total", &[("type", "ORDER_PLACED")]) > 0.0
    });
    let ended = bot.terminate();
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stdout.contains("summary"), "{}", ended.stdout);
}

#[test]
fn a_closed_standard_output_does_not_end_it_with_a_panic() {
    let program = bot_metrics_tests::paper_bot::command(&[]).get_program().to_owned();
    let shell = Command::new("sh")
        .arg("-c")
        .arg("\"$0\" --port 0 --bind 127.0.0.1 --duration 3s 2>&1 >&- | cat")
        .arg(program)
        .output()
        .expect("a shell runs");
    let complaints = String::from_utf8_lossy(&shell.stdout);
    assert!(!complaints.contains("panicked"), "{complaints}");
}
