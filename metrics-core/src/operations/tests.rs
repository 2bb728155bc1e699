use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::alerts::areas;
use super::context::RuleContext;
use super::run;
use super::runbook::AlertTexts;
use super::scale::TimeScale;
use crate::linked::{Decimal, LinkedCatalogue, LinkedFunction};
use crate::{Families, Mode, Settings, catalogue};

/// A binary in which everything is linked.
fn everything() -> Settings {
    Settings::new(Mode::Paper).expect_families(catalogue::FAMILIES.iter().copied()).expect_events([
        (crate::labels::Severity::Critical, crate::labels::EventType::CircuitBreaker),
        (crate::labels::Severity::Error, crate::labels::EventType::OrderFailure),
        (crate::labels::Severity::Info, crate::labels::EventType::OrderPlaced),
    ])
}

fn text(words: &[&str], settings: &Settings) -> String {
    let output = run(words, settings);
    assert_eq!((output.code, output.errors.as_str()), (0, ""), "{words:?}");
    output.text
}

#[test]
fn each_alert_has_texts_a_section_a_scenario_in_which_it_fires_and_one_in_which_it_does_not() {
    let linked = LinkedCatalogue::of(&everything());
    let context = RuleContext::new(&linked, TimeScale::NONE, None);
    let areas = areas(&context);
    let alerts: Vec<_> = areas.iter().flat_map(|area| &area.alerts).collect();
    assert!(alerts.len() > 30, "{}", alerts.len());
    for alert in &alerts {
        let moments = || alert.scenarios.iter().flat_map(|scenario| &scenario.moments);
        assert!(moments().any(|moment| !moment.firing.is_empty()), "{} never fires", alert.name);
        let always = alert.name == "Watchdog";
        assert_eq!(
            moments().any(|moment| moment.firing.is_empty()),
            !always,
            "{} is never silent",
            alert.name
        );
        let AlertTexts { summary, description, steps } = AlertTexts::of(alert.name);
        assert!(steps.len() > 20, "{} has no section", alert.name);
        assert!(summary.ends_with('.') && description.ends_with('.'), "{}", alert.name);
        assert!(!alert.rules.is_empty(), "{}", alert.name);
    }
    let names: BTreeSet<_> = alerts.iter().map(|alert| alert.name).collect();
    assert_eq!(names.len(), alerts.len(), "a name is used once");
}

#[test]
fn a_rule_exists_only_if_its_family_is_exported() {
    let all = text(&["rules"], &everything());
    for alert in ["BotReconciliationBlind", "BotMarketDataStale", "BotHeartbeatWithoutWork", "BotRestartLoop"]
    {
        assert!(all.contains(&format!("alert: {alert}\n")), "{alert}");
    }
    let core = text(&["rules"], &everything().families(Families::CoreOnly));
    for absent in ["BotMarketDataStale", "BotRestartLoop", "subsystem_paused", "process_start_time_seconds"] {
        assert!(!core.contains(absent), "{absent}");
    }
    assert!(core.contains("alert: BotSubsystemStalled\n"));
}

#[test]
fn a_time_scale_divides_windows_and_holds() {
    let rules = text(&["rules", "--time-scale", "60"], &everything());
    assert!(rules.contains("[15s]") && rules.contains("for: 10s"), "{rules}");
    assert!(!rules.contains("[15m]"));
    assert_eq!(text(&["rules"], &everything()), text(&["rules", "--time-scale=1"], &everything()));
}

#[test]
fn a_time_scale_divides_neither_the_window_nor_the_hold_of_several_cycles() {
    let mut linked = LinkedCatalogue::of(&everything());
    linked.functions.push(LinkedFunction {
        function: "archive".to_owned(),
        module: "bot".to_owned(),
        file: "bot.rs".to_owned(),
        line: 1,
        attribute: "timed_subsystem".to_owned(),
        families: Vec::new(),
        labels: [("subsystem".to_owned(), vec!["archive".to_owned()])].into(),
        max_age_seconds: Decimal::new(600.0),
    });
    let scale = TimeScale(NonZeroU32::new(60).expect("above 0"));
    let areas = areas(&RuleContext::new(&linked, scale, None));
    let mut alerts = areas.iter().flat_map(|area| &area.alerts);
    let slow = alerts.find(|alert| alert.name == "BotSubsystemSlow").expect("loops are measured");
    let rule = slow.rules.iter().find(|rule| rule.expr.contains("subsystem=\"archive\"")).expect("its rule");
    assert!(rule.expr.contains("[30m]"), "three cycles: {}", rule.expr);
    assert_eq!(rule.hold(scale), "1805s", "three cycles and five minutes");
}

#[test]
fn the_job_is_the_app_unless_another_is_given() {
    let settings = everything().app("desk");
    for command in ["rules", "rule-tests", "runbook", "scrape-config"] {
        assert!(text(&[command], &settings).contains("desk"), "{command}");
        assert!(text(&[command, "--job", "bots"], &settings).contains("bots"), "{command}");
    }
    assert!(!text(&["rules", "--job", "bots"], &settings).contains("desk"));
}

#[test]
fn a_mistake_is_answered_with_the_nearest_word_and_code_2() {
    for (words, part) in [
        (&["rule"][..], "rules"),
        (&["rules", "--time-scal", "2"], "--time-scale"),
        (&["rules", "--time-scale", "0"], "invalid value '0' for '--time-scale <N>'"),
        (&[], "Usage: metrics <COMMAND>"),
    ] {
        let output = run(words, &everything());
        assert_eq!((output.code, output.text.as_str()), (2, ""), "{words:?}");
        assert!(output.errors.contains(part), "{words:?}: {}", output.errors);
    }
    assert!(text(&["--help"], &everything()).contains("rule-tests"));
}

#[test]
fn the_scenarios_evaluate_the_groups_in_the_order_of_the_rules_recordings_first() {
    let groups = |text: &str, key: &str| {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix(key));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let rules = groups(&text(&["rules"], &everything()), "- name: ");
    let tests = text(&["rule-tests"], &everything());
    let order = tests.split_once("group_eval_order:").expect("the key").1;
    let order = order.split_once("\ntests:").expect("the tests").0;
    assert_eq!(groups(order, "- "), rules);
    assert_eq!(rules[0], "bytelyst_bot_recordings");
}

#[test]
fn equal_settings_give_equal_bytes() {
    for words in [
        &["list", "--json"][..],
        &["dashboard"],
        &["rules"],
        &["rule-tests"],
        &["runbook"],
        &["alertmanager"],
    ] {
        let here = text(words, &everything());
        let there = std::thread::spawn(move || text(words, &everything())).join().expect("no panic");
        assert_eq!(here, there, "{words:?}");
    }
}

#[test]
fn the_scrape_configuration_names_an_address_that_can_be_reached() {
    let configuration = text(&["scrape-config"], &everything());
    assert!(
        configuration.contains("localhost:5000") && configuration.contains("honor_labels: true"),
        "{configuration}"
    );
}

#[cfg(feature = "web-config")]
#[test]
fn the_scrape_configuration_has_the_access_that_the_bots_web_configuration_demands() {
    let web_config = |name: &str, text: &str| {
        let path = std::env::temp_dir().join(format!("bot-metrics-{name}-{}.yml", std::process::id()));
        std::fs::write(&path, text).expect("a file");
        path
    };
    let tls = "tls_server_config:\n  cert_file: a\n  key_file: b\n";
    let certificate = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: c\n";
    let users = "basic_auth_users:\n  prometheus: hash\n";
    for (name, content, expected, absent) in [
        ("plain", "", &["job_name"][..], &["scheme", "basic_auth", "Expects"][..]),
        ("users", users, &["username: prometheus", "bot.password"], &["scheme", "tls_config"]),
        ("tls", tls, &["scheme: https", "ca_file: bot-ca.crt"], &["cert_file", "basic_auth"]),
        ("all", &format!("{tls}{certificate}{users}"), &["cert_file", "key_file", "username"], &[]),
    ] {
        let path = web_config(name, content);
        let configuration = text(&["scrape-config"], &everything().web_config(&path));
        std::fs::remove_file(path).expect("it was written");
        for part in expected {
            assert!(configuration.contains(part), "{name}: no {part} in {configuration}");
        }
        for part in absent {
            assert!(!configuration.contains(part), "{name}: {part} in {configuration}");
        }
    }
    let output = run(["scrape-config"], &everything().web_config("/no/such/file"));
    assert_eq!(output.code, 1);
    assert!(output.errors.contains("cannot read /no/such/file"), "{}", output.errors);
}
