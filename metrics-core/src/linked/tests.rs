use super::*;
use crate::labels::{EventType, Exchange, Severity};
use crate::{LabelValue as _, Mode, catalogue};

#[expect(dead_code, reason = "a call site is linked even if its function is never called")]
mod bot {
    use crate::prelude::*;

    #[timed_subsystem("monitor", max_age = "90s")]
    fn watch() {}

    #[exchange_call(op = "get_ticker")]
    fn quote() -> Result<(), std::io::Error> {
        Ok(())
    }

    #[exchange_call(op = "get_order", exchange = "kraken")]
    fn order() -> Result<(), std::io::Error> {
        Ok(())
    }

    #[operational_event(type = kind, severity = "WARNING")]
    fn event(kind: labels::EventType) {}

    metrics! {
        /// Time to decide.
        histogram decision_seconds { side: labels::Source, symbol: crate::Symbol }
            buckets(0.000_005, 0.25, 1) objective(threshold = 0.25, ratio = 0.999)
    }
}

fn settings() -> Settings {
    Settings::new(Mode::Live).app("desk").exchange(Exchange::Okx)
}

fn values(linked: &LinkedCatalogue, family: &str, label: &str) -> Option<Vec<String>> {
    let family = linked.family(family).unwrap_or_else(|| panic!("{family} is linked"));
    family.labels.iter().find(|known| known.name == label).expect("the label").values.clone()
}

fn contains(linked: &LinkedCatalogue, family: &str, label: &str, value: &str) -> bool {
    values(linked, family, label).expect("known values").iter().any(|known| known == value)
}

#[test]
fn the_values_of_labels_are_those_of_the_call_sites_and_the_settings() {
    let linked = LinkedCatalogue::of(&settings());
    assert!(contains(&linked, "subsystem_alive", "subsystem", "monitor"));
    for exchange in ["kraken", "okx"] {
        assert!(contains(&linked, "exchange_api_requests_total", "exchange", exchange), "{exchange}");
    }
    assert!(!contains(&linked, "exchange_api_requests_total", "outcome", "skipped"));
    assert!(contains(&linked, "subsystem_runs_total", "outcome", "skipped"));
    assert!(contains(&linked, "operational_events_total", "type", "CONFIG_CHANGED"));
    assert!(contains(&linked, "operational_events_total", "severity", "WARNING"));
    assert_eq!(values(&linked, "operational_events_total", "symbol"), None);
    let expecting = settings().expect_events([(Severity::Critical, EventType::CircuitBreaker)]);
    assert!(!contains(&linked, "operational_events_total", "severity", "CRITICAL"));
    assert!(contains(&LinkedCatalogue::of(&expecting), "operational_events_total", "severity", "CRITICAL"));
}

#[test]
fn a_family_of_handles_is_linked_only_if_it_is_expected_and_its_values_are_not_known() {
    let linked = LinkedCatalogue::of(&settings());
    assert!(linked.family("market_data_last_update_timestamp_seconds").is_none());
    let expecting = settings().expect_families([
        &catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS,
        &catalogue::SUBSYSTEM_PAUSED,
    ]);
    let expecting = LinkedCatalogue::of(&expecting);
    assert_eq!(values(&expecting, "market_data_last_update_timestamp_seconds", "exchange"), None);
    assert_eq!(
        values(&expecting, "subsystem_alive", "subsystem"),
        None,
        "recorded together with subsystem_paused"
    );
    let core = LinkedCatalogue::of(&settings().families(crate::Families::CoreOnly));
    assert!(core.family("subsystem_alive").is_some() && core.family("subsystem_paused").is_none());
}

#[test]
fn a_function_has_its_families_labels_and_age() {
    let linked = LinkedCatalogue::of(&settings());
    let function = |name: &str| {
        let is =
            |known: &&LinkedFunction| known.module.ends_with("linked::tests::bot") && known.function == name;
        linked.functions.iter().find(is).unwrap_or_else(|| panic!("{name} is linked")).clone()
    };
    let watch = function("watch");
    assert_eq!((watch.attribute.as_str(), watch.max_age_seconds), ("timed_subsystem", Decimal::new(90.0)));
    assert!(watch.families.contains(&"bytelyst_bot_subsystem_alive".to_owned()));
    assert_eq!(function("quote").labels["exchange"], ["okx"]);
    assert_eq!(function("order").labels["exchange"], ["kraken"]);
    assert_eq!(function("event").labels["type"].len(), EventType::VALUES.len());
}

#[test]
fn the_data_is_sorted_and_equal_each_time_and_reads_back() {
    let linked = LinkedCatalogue::of(&settings());
    assert!(linked.families.is_sorted_by(|one, other| one.name < other.name));
    assert!(linked.functions.is_sorted_by_key(|function| (function.file.clone(), function.line)));
    let text = serde_json::to_string(&linked).expect("it is plain data");
    let again = std::thread::spawn(|| LinkedCatalogue::of(&settings())).join().expect("no panic");
    assert_eq!(text, serde_json::to_string(&again).expect("it is plain data"));
    assert_eq!(serde_json::from_str::<LinkedCatalogue>(&text).expect("its own format"), linked);
    let decision = linked.family("decision_seconds").expect("a family of the bot's own");
    let written = serde_json::to_value(decision).expect("it is plain data");
    assert_eq!(written["buckets"], serde_json::json!(["0.000005", "0.25", "1"]));
    assert_eq!(written["objective"], serde_json::json!({"threshold": "0.25", "ratio": "0.999"}));
    assert_eq!(
        (&written["kind"], &written["origin"], &written["unit"]),
        (&"histogram".into(), &"custom".into(), &"seconds".into())
    );
}

#[test]
fn a_bound_that_is_no_decimal_is_refused_with_an_example() {
    for wrong in ["\"NaN\"", "\"x\"", "\"inf\""] {
        let error = serde_json::from_str::<Decimal>(wrong).expect_err("not finite").to_string();
        assert!(error.contains("is not a finite decimal number, such as 0.25"), "{error}");
    }
}
