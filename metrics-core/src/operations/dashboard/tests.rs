use std::collections::BTreeSet;

use super::*;
use crate::linked::LinkedCatalogue;
use crate::operations::scale::TimeScale;
use crate::{Families, Mode, Settings, catalogue};

#[expect(dead_code, reason = "a call site is linked even if its function is never called")]
mod bot {
    use crate::prelude::*;

    #[exchange_call(op = "get_ticker", exchange = "paper")]
    fn quote() -> Result<(), std::io::Error> {
        Ok(())
    }

    metrics! {
        /// Fees since the start.
        float_counter fees_usdt_total { profile_id: crate::ProfileId }

        /// Best bid.
        gauge bid_eur

        /// Time to decide.
        histogram choice_seconds { side: labels::Source } buckets(0.25, 1) objective(threshold = 0.25, ratio = 0.99)
    }
}

/// A binary in which everything is linked.
fn everything() -> Settings {
    Settings::new(Mode::Paper).app("desk").expect_families(catalogue::FAMILIES.iter().copied())
}

fn linked_to(settings: &Settings, links: Links<'_>) -> Value {
    dashboard(&RuleContext::new(&LinkedCatalogue::of(settings), TimeScale::NONE, None), links)
}

fn without_links(settings: &Settings) -> Value {
    linked_to(settings, Links::default())
}

/// The dashboard of a binary without the families that have a word in their names.
fn without(word: &str) -> Value {
    let mut linked = LinkedCatalogue::of(&everything());
    linked.families.retain(|family| !family.name.contains(word));
    dashboard(&RuleContext::new(&linked, TimeScale::NONE, None), Links::default())
}

fn panels_of(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().expect("a list").iter()
}

fn panel<'v>(dashboard: &'v Value, title: &str) -> &'v Value {
    panels_of(dashboard).find(|panel| panel["title"] == title).unwrap_or_else(|| panic!("no panel {title}"))
}

fn has(dashboard: &Value, title: &str) -> bool {
    panels_of(dashboard).any(|panel| panel["title"] == title)
}

#[test]
fn each_panel_has_a_place_of_its_own_and_says_what_it_shows_and_what_no_data_means() {
    let dashboard = without_links(&everything());
    let (mut cells, mut ids, mut titles) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut row = "";
    for panel in panels_of(&dashboard) {
        let number = |field: &str| panel["gridPos"][field].as_u64().expect("a number");
        assert!(ids.insert(panel["id"].as_u64().expect("a number")), "{panel}");
        for y in number("y")..number("y") + number("h") {
            for x in number("x")..number("x") + number("w") {
                assert!(x < COLUMNS && cells.insert((x, y)), "column {x} of line {y}: {panel}");
            }
        }
        let title = panel["title"].as_str().expect("a text");
        if panel["type"] == "row" {
            row = title;
            continue;
        }
        assert!(titles.insert((row, title)), "{row} has two panels {title}");
        let description = panel["description"].as_str().expect("a text");
        let (shows, no_data) = description.split_once("\n\nNo data means that ").expect("both parts");
        assert!(shows.ends_with('.') && no_data.ends_with('.') && no_data.len() > 10, "{description}");
        assert!(
            panel["fieldConfig"]["defaults"]["unit"].as_str().is_some_and(|unit| !unit.is_empty()),
            "{panel}"
        );
        assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{panel}");
        let text = panel["targets"].to_string();
        assert!(!text.contains('@') && !text.contains("{,") && !text.contains(", }"), "{text}");
    }
    let lines = cells.iter().map(|(_, y)| y).max().expect("panels") + 1;
    assert_eq!(cells.len() as u64, lines * COLUMNS, "no line has a hole");
}

#[test]
fn every_library_panel_is_in_the_dashboard_of_a_bot_with_all_families() {
    let dashboard = without_links(&everything());
    let rows: Vec<_> = panels_of(&dashboard).filter(|panel| panel["type"] == "row").collect();
    let titles: Vec<_> = rows.iter().map(|row| row["title"].as_str().expect("a text")).collect();
    let expected = [
        "Now",
        "Loops",
        "Exchange",
        "Risk",
        "Reconciliation",
        "Events",
        "Market data",
        "The bot's own",
        "Process",
    ];
    assert_eq!(titles, expected);
    let linked = LinkedCatalogue::of(&everything());
    let tables = [
        health::now(),
        health::loops(),
        trading::exchange(&linked),
        trading::risk(),
        health::reconciliation(),
        health::events(),
        trading::market_data(&RuleContext::new(&linked, TimeScale::NONE, None)),
        health::process(),
    ];
    for written in tables.iter().flatten() {
        let found = panel(&dashboard, &written.title);
        let queries = found["targets"].as_array().map_or(0, Vec::len);
        assert_eq!(queries, written.targets.len(), "a query of {} names an unknown family", written.title);
    }
    let context = RuleContext::new(&linked, TimeScale::NONE, None);
    let alerts: BTreeSet<_> =
        areas(&context).iter().flat_map(|area| &area.alerts).map(|alert| alert.name).collect();
    for alert in tables.iter().flatten().filter_map(|panel| panel.alert) {
        assert!(alerts.contains(alert), "a panel names the unknown alert {alert}");
    }
}

#[test]
fn only_what_is_linked_is_shown() {
    let reconciliation = without("reconciliation_");
    assert!(!has(&reconciliation, "Reconciliation") && !has(&reconciliation, "New mismatches"));
    assert!(!reconciliation.to_string().contains("reconciliation_mis"));
    assert!(!has(&without("tokio_"), "Delay of tokio's tasks"));
    assert!(!without("profile_utilization").to_string().contains("label_values(bytelyst_bot_profile"));
    let mut linked = LinkedCatalogue::of(&Settings::new(Mode::Paper));
    for label in linked.families.iter_mut().flat_map(|family| &mut family.labels) {
        if label.name == "subsystem" {
            label.values = Some(vec!["trading".to_owned()]);
        }
    }
    let trading = dashboard(&RuleContext::new(&linked, TimeScale::NONE, None), Links::default());
    assert!(!has(&trading, "Age of these figures"), "no loop is called reconciliation");
    let core = without_links(&everything().families(Families::CoreOnly));
    for (title, absent) in [("State of the loops", "subsystem_paused"), ("Latency", "exchange_api_requests")]
    {
        assert!(!panel(&core, title)["targets"].to_string().contains(absent), "{title}");
    }
    assert!(!has(&core, "Calls by outcome") && !core.to_string().contains("process_"));
}

#[test]
fn default_labels_in_target_info_select_the_instances() {
    let dashboard = without_links(&everything().default_labels_in_target_info());
    let queries = |title| panel(&dashboard, title)["targets"].to_string();
    assert!(!queries("Latency").contains("$env") && queries("Latency").contains("$instance"));
    assert!(queries("Mode").contains("target_info{") && queries("Mode").contains("$mode"));
    let mode = panel(&without_links(&everything()), "Mode")["targets"].to_string();
    assert!(
        mode.contains("$mode") && !mode.contains("$profile_id"),
        "the mode does not depend on a profile: {mode}"
    );
    let variables = dashboard["templating"]["list"].to_string();
    let instances = r#"label_values(target_info{job=~\"$job\", env=~\"$env\", mode=~\"$mode\"}, instance)"#;
    assert!(variables.contains(instances), "{variables}");
}

#[test]
fn the_bots_own_families_have_their_kind_unit_and_objective() {
    let dashboard = without_links(&everything());
    let unit = |title| panel(&dashboard, title)["fieldConfig"]["defaults"]["unit"].clone();
    assert_eq!(unit("fees_usdt_total"), "suffix:USDT/min");
    assert_eq!(unit("bid_eur"), "suffix:EUR");
    assert_eq!(unit("choice_seconds"), "s");
    let choice = panel(&dashboard, "choice_seconds");
    assert!(choice["description"].as_str().is_some_and(|text| text.starts_with("Time to decide.")));
    let steps = &choice["fieldConfig"]["defaults"]["thresholds"]["steps"];
    assert_eq!(steps[1]["value"], 0.25);
    assert_eq!(choice["targets"][1]["legendFormat"], "{{side}} p99");
    let fees = panel(&dashboard, "fees_usdt_total")["targets"].to_string();
    assert!(fees.contains(r#"profile_id=~\"$profile_id\""#), "{fees}");
}

#[test]
fn links_lead_to_the_runbook_and_the_reference_if_they_have_addresses() {
    let links =
        Links { runbook: Some("https://desk.example/runbook"), reference: Some("http://bot:5000/catalogue") };
    let dashboard = linked_to(&everything(), links);
    let url = "https://desk.example/runbook#botsubsystemstalled";
    assert_eq!(panel(&dashboard, "State of the loops")["links"][0]["url"], url);
    assert_eq!(dashboard["links"][1]["url"], "http://bot:5000/catalogue");
    let text = without_links(&everything()).to_string();
    assert!(!text.contains("\"type\":\"link\""), "a relative address leads nowhere in Grafana");
}

#[test]
fn an_app_has_an_identifier_that_grafana_accepts_and_no_other_app_has() {
    assert_eq!(uid("bytelyst-trading-bot-service"), "bytelyst-trading-bot-service");
    let others = ["ä desk", "ö desk", &"long ".repeat(20), &"long ".repeat(21)].map(uid);
    assert_eq!(BTreeSet::from_iter(&others).len(), others.len(), "{others:?}");
    for uid in others {
        assert!(
            uid.len() <= UID_LENGTH && uid.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
            "{uid}"
        );
    }
}
