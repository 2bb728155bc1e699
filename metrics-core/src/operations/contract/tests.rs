use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::change::Class;
use super::*;
use crate::catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS;
use crate::operations::{Output, run};
use crate::{Mode, Settings};

#[expect(dead_code, reason = "a call site is linked even if its function is never called")]
mod bot {
    use crate::prelude::*;

    #[timed_subsystem("trading", every = "5s")]
    fn trade() {}

    #[exchange_call(op = "place_order", exchange = "paper")]
    fn place() -> Result<(), std::io::Error> {
        Ok(())
    }

    #[reconciliation]
    fn reconcile() -> ReconciliationReport {
        ReconciliationReport::new()
    }

    metrics! {
        /// Time from a quote to its acknowledgement.
        histogram quote_seconds { venue: crate::Symbol }
            buckets(0.05, 0.25, 1) objective(threshold = 0.25, ratio = 0.99)
    }
}

fn settings() -> Settings {
    let settings = Settings::new(Mode::Live).app("desk");
    settings.expect_families([&MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS])
}

fn catalogue() -> LinkedCatalogue {
    LinkedCatalogue::of(&settings())
}

fn as_json(catalogue: &LinkedCatalogue) -> Value {
    serde_json::to_value(catalogue).expect("plain data")
}

fn from_json(value: Value) -> LinkedCatalogue {
    serde_json::from_value(value).expect("the format of a catalogue")
}

/// The place of a family in the JSON of a catalogue.
fn family<'v>(catalogue: &'v mut Value, name: &str) -> &'v mut Value {
    let name = format!("bytelyst_bot_{name}");
    let families = catalogue["families"].as_array_mut().expect("a list");
    families.iter_mut().find(|family| family["name"] == *name).expect("a linked family")
}

/// The changes after this edit of the catalogue.
fn after(edit: impl FnOnce(&mut Value)) -> Vec<MetricChange> {
    let mut new = as_json(&catalogue());
    edit(&mut new);
    compare(&catalogue(), &from_json(new))
}

/// The only change: its class, its families and its text.
fn only(changes: &[MetricChange]) -> (Class, Vec<&str>, &str) {
    let [change] = changes else { panic!("not one change: {changes:#?}") };
    let strip = |name: &'_ String| name.len().min("bytelyst_bot_".len());
    (change.class, change.families.iter().map(|name| &name[strip(name)..]).collect(), &change.text)
}

fn remove_family(catalogue: &mut Value, name: &str) -> Value {
    let name = format!("bytelyst_bot_{name}");
    let families = catalogue["families"].as_array_mut().expect("a list");
    let index = families.iter().position(|family| family["name"] == *name).expect("a linked family");
    families.remove(index)
}

const QUOTE: &str = "quote_seconds";

#[test]
fn each_breaking_change_of_a_family_is_one_change_that_says_what_changed() {
    let breaking = |edit: fn(&mut Value), family: &str, text: &str| {
        assert_eq!(only(&after(edit)), (Class::Breaking, vec![family], text));
    };
    breaking(
        |new| family(new, QUOTE)["name"] = "bytelyst_bot_reply_seconds".into(),
        QUOTE,
        "renamed to bytelyst_bot_reply_seconds",
    );
    breaking(
        |new| family(new, "subsystem_alive")["kind"] = "counter".into(),
        "subsystem_alive",
        "the type changed from gauge to counter",
    );
    breaking(
        |new| family(new, QUOTE)["unit"] = "".into(),
        QUOTE,
        "the unit changed from \"seconds\" to none",
    );
    breaking(
        |new| {
            family(new, "exchange_api_latency_seconds")["labels"]
                .as_array_mut()
                .unwrap()
                .push(json!({"name": "region", "values": null}));
        },
        "exchange_api_latency_seconds",
        "the label \"region\" was added",
    );
    breaking(
        |new| drop(family(new, "exchange_api_latency_seconds")["labels"].as_array_mut().unwrap().pop()),
        "exchange_api_latency_seconds",
        "the label \"operation\" was removed",
    );
    breaking(
        |new| family(new, QUOTE)["labels"][0]["name"] = "market".into(),
        QUOTE,
        "the label \"venue\" was renamed to \"market\"",
    );
    breaking(
        |new| family(new, QUOTE)["buckets"] = json!(["0.05", "0.3", "1"]),
        QUOTE,
        "bucket bounds were removed: 0.25; added: 0.3",
    );
    breaking(
        |new| family(new, QUOTE)["objective"]["threshold"] = "1".into(),
        QUOTE,
        "the objective changed from 0.99 within 0.25 to 0.99 within 1",
    );
    breaking(
        |new| family(new, QUOTE)["objective"] = Value::Null,
        QUOTE,
        "the objective 0.99 within 0.25 was removed",
    );
    breaking(
        |new| drop(remove_family(new, "market_data_last_update_timestamp_seconds")),
        "market_data_last_update_timestamp_seconds",
        "removed",
    );
}

#[test]
fn a_default_label_or_the_namespace_concerns_all_families() {
    let changes = after(|new| new["default_labels"]["app"] = "scalper".into());
    assert_eq!(
        only(&changes),
        (Class::Breaking, vec![], "the default label \"app\" changed from \"desk\" to \"scalper\"")
    );
    assert!(
        changes[0].used_by.contains("alert BotDown"),
        "it selects the job by its value: {:?}",
        changes[0].used_by
    );
    let changes = after(|new| drop(new["default_labels"].as_object_mut().unwrap().remove("mode")));
    for user in ["alert BotSubsystemStalled", "alert BotDown"] {
        assert!(changes[0].used_by.contains(user), "its severity depends on it: {:?}", changes[0].used_by);
    }
    let changes = after(|new| {
        *new = serde_json::from_str(&new.to_string().replace("bytelyst_bot", "desk")).unwrap();
    });
    assert_eq!(
        only(&changes),
        (Class::Breaking, vec![], "the namespace changed from \"bytelyst_bot\" to \"desk\"")
    );
    assert!(changes[0].used_by.contains("alert BotSubsystemStalled"), "{:?}", changes[0].used_by);
    let changes = after(|new| new["default_labels_in_target_info"] = true.into());
    assert_eq!(only(&changes).2, "the default labels were moved to target_info alone");
}

#[test]
fn a_removed_value_is_one_change_of_all_families_that_had_it() {
    let changes = after(|new| {
        for family in new["families"].as_array_mut().unwrap() {
            for label in family["labels"].as_array_mut().unwrap() {
                if let Some(values) = label["values"].as_array_mut() {
                    values.retain(|value| value != "place_order");
                }
            }
        }
    });
    let families = ["exchange_api_in_flight", "exchange_api_latency_seconds", "exchange_api_requests_total"];
    let text = "the value \"place_order\" of the label \"operation\" was removed";
    assert_eq!(only(&changes), (Class::Breaking, families.to_vec(), text));
    let changes = after(|new| {
        family(new, "subsystem_alive")["labels"][0]["values"].as_array_mut().unwrap().push("zz".into());
    });
    assert_eq!(
        only(&changes),
        (Class::Compatible, vec!["subsystem_alive"], "the value \"zz\" of the label \"subsystem\" was added")
    );
}

#[test]
fn additions_and_a_moved_ratio_are_compatible() {
    let changes = after(|new| family(new, QUOTE)["buckets"].as_array_mut().unwrap().push("2".into()));
    assert_eq!(only(&changes), (Class::Compatible, vec![QUOTE], "bucket bounds were added: 2"));
    let changes = after(|new| family(new, QUOTE)["objective"]["ratio"] = "0.999".into());
    assert_eq!(only(&changes).0, Class::Compatible);
    let changes = compare(
        &from_json({
            let mut old = as_json(&catalogue());
            remove_family(&mut old, QUOTE);
            old
        }),
        &catalogue(),
    );
    assert_eq!(only(&changes), (Class::Compatible, vec![QUOTE], "added"));
    let changes = after(|new| function(new, "trade")["max_age_seconds"] = "30".into());
    assert_eq!(only(&changes).0, Class::Compatible);
}

fn function<'v>(catalogue: &'v mut Value, name: &str) -> &'v mut Value {
    let functions = catalogue["functions"].as_array_mut().expect("a list");
    let is = |known: &&mut Value| {
        known["function"] == *name && known["module"].as_str().unwrap().ends_with("contract::tests::bot")
    };
    functions.iter_mut().find(is).expect("a linked function")
}

#[test]
fn a_moved_or_renamed_function_and_a_help_text_are_information() {
    let moves: [fn(&mut Value); 4] = [
        |new| function(new, "trade")["line"] = 4_000.into(),
        |new| function(new, "trade")["file"] = "src/elsewhere.rs".into(),
        |new| function(new, "trade")["module"] = "elsewhere".into(),
        |new| function(new, "trade")["function"] = "deal".into(),
    ];
    for edit in moves {
        let changes = after(edit);
        assert_eq!(only(&changes).0, Class::Information, "{changes:?}");
    }
    let changes = after(|new| family(new, QUOTE)["help"] = "Other words.".into());
    assert_eq!(only(&changes), (Class::Information, vec![QUOTE], "the help text changed"));
    assert_eq!(compare(&catalogue(), &catalogue()), []);
}

#[test]
fn the_rules_and_panels_that_used_the_changed_part_are_named() {
    let used_by = |edit: fn(&mut Value)| after(edit).remove(0).used_by;
    let users = used_by(|new| drop(remove_family(new, "market_data_last_update_timestamp_seconds")));
    let expected = ["alert BotMarketDataStale", "panel Market data / Age of the market data"];
    assert_eq!(users, BTreeSet::from(expected.map(str::to_owned)));
    let users = used_by(|new| {
        let values = family(new, "subsystem_runs_total")["labels"][0]["values"].as_array_mut().unwrap();
        values.retain(|value| value != "trading");
    });
    assert!(users.contains("alert BotHeartbeatWithoutWork"), "it names trading: {users:?}");
    assert!(!users.contains("alert BotSubsystemStaleByClock"), "it names no value: {users:?}");
    let users = used_by(|new| family(new, "subsystem_duration_seconds")["buckets"] = json!(["0.1"]));
    assert!(users.contains("alert BotSubsystemSlow"), "by way of a recording rule: {users:?}");
    assert!(users.iter().any(|user| user.starts_with("recording rule ")), "{users:?}");
    assert!(users.contains("panel Loops / Cycles by duration"), "{users:?}");
    let users = used_by(|new| drop(remove_family(new, QUOTE)));
    assert!(users.contains("panel The bot's own / quote_seconds"), "{users:?}");
    let users =
        used_by(|new| family(new, "exchange_api_latency_seconds")["labels"][0]["name"] = "venue".into());
    assert!(users.contains("variable exchange") && users.contains("panel Exchange / Latency"), "{users:?}");
    let users = used_by(|new| family(new, "subsystem_alive")["labels"][0]["name"] = "loop".into());
    assert!(
        users.contains("panel Now / State of the loops") && !users.contains("panel Now / Mode"),
        "{users:?}"
    );
}

#[test]
fn panels_offer_all_values_of_a_default_label_but_need_the_label() {
    let changes = after(|new| new["default_labels"]["env"] = "production".into());
    let is_panel = |user: &&String| user.starts_with("panel ");
    assert_eq!(changes[0].used_by.iter().find(is_panel), None);
    let changes = after(|new| drop(new["default_labels"].as_object_mut().expect("labels").remove("env")));
    assert!(changes[0].used_by.contains("panel Exchange / Latency"), "{:?}", changes[0].used_by);
    let moved = after(|new| new["default_labels_in_target_info"] = true.into());
    assert!(moved[0].used_by.contains("panel Exchange / Latency"), "{:?}", moved[0].used_by);
}

/// What `list --diff` prints, with these further words, for an earlier release with this content.
fn diff(content: &str, words: &[&str]) -> Output {
    static FILES: AtomicUsize = AtomicUsize::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let old = std::env::temp_dir().join(format!("contract-{}-{number}.json", std::process::id()));
    fs::write(&old, content).expect("a temporary file");
    let path = old.to_str().expect("plain characters");
    let output = run(["list", "--diff", path].iter().chain(words), &settings());
    fs::remove_file(old).expect("it was written");
    output
}

#[test]
fn the_exit_code_is_1_only_if_something_breaks() {
    let mut old = as_json(&catalogue());
    let same = diff(&old.to_string(), &["--verbose"]);
    assert_eq!((same.code, &*same.text), (0, "no change of the metrics\n"));
    family(&mut old, QUOTE)["help"] = "Other words.".into();
    let quiet = diff(&old.to_string(), &[]);
    assert_eq!((quiet.code, &*quiet.text), (0, "no change of the metrics\n"));
    let verbose = diff(&old.to_string(), &["--verbose"]);
    let text = "information: bytelyst_bot_quote_seconds: the help text changed\nchanges: 1 information\n";
    assert_eq!((verbose.code, &*verbose.text), (0, text));
    family(&mut old, QUOTE)["labels"][0]["name"] = "50%".into();
    let plain = diff(&old.to_string(), &[]);
    let text = "breaking: bytelyst_bot_quote_seconds: the label \"50%\" was renamed to \"venue\"\n    migration: A label";
    assert!(plain.code == 1 && plain.text.starts_with(text), "{}", plain.text);
    let github = diff(&old.to_string(), &["--format", "github"]);
    let line = "::error title=breaking change of the metrics::bytelyst_bot_quote_seconds: the label \"50%25\" was \
                renamed to \"venue\"%0Amigration: A label";
    assert!(github.code == 1 && github.text.starts_with(line), "{}", github.text);
    assert_eq!(github.text.lines().last(), Some("changes: 1 breaking"));
    assert_eq!(github.text.lines().count(), 2);
}

#[test]
fn bad_usage_or_an_unreadable_file_has_the_exit_code_2() {
    let wrong = |output: Output, text: &str| {
        assert!(output.code == 2 && output.text.is_empty() && output.errors.contains(text), "{output:?}");
    };
    wrong(diff("{", &[]), "EOF while parsing");
    let mut newer = as_json(&catalogue());
    newer["format"] = 7.into();
    wrong(diff(&newer.to_string(), &[]), "its format 7 is newer than 1, the newest that this bot reads");
    wrong(diff("{}", &["--format", "yaml"]), "plain, github");
    wrong(run(["list", "--verbose"], &settings()), "--diff");
    wrong(
        run(["list", "--diff", "/nonexistent/old.json"], &settings()),
        "/nonexistent/old.json: No such file",
    );
}
