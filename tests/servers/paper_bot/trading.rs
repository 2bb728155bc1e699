use std::collections::{BTreeMap, BTreeSet};

use bot_metrics::assert_metric;
use bot_metrics::catalogue::{FAMILIES, Family, Kind, Origin};
use bot_metrics::testing::Samples;
use bot_metrics::{LabelValue, Outcome};
use bot_metrics_tests::paper_bot::{command, run, start};

/// The operations that the bot calls without trading.
const LOOKING: [&str; 5] =
    ["get_account", "get_exchange_info", "get_open_orders", "get_server_time", "get_ticker"];

/// The operations that it calls only once it trades.
const TRADING: [&str; 5] = ["cancel_all_orders", "cancel_order", "get_order", "get_trades", "place_order"];

pub(super) fn every_linked_series_is_in_the_first_scrape_of_a_release_build() {
    let bot = start(&["--fault", "hang-trading"]);
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
    for operation in LOOKING.into_iter().chain(TRADING) {
        for outcome in Outcome::VALUES.iter().filter(|outcome| **outcome != "skipped") {
            let labels = [("exchange", "paper"), ("operation", operation), ("outcome", outcome)];
            let name = "bytelyst_bot_exchange_api_requests_total";
            assert!(samples.value(name, &labels).is_some(), "{operation} {outcome}");
        }
        for name in ["latency_seconds_count", "in_flight"] {
            let name = format!("bytelyst_bot_exchange_api_{name}");
            assert_eq!(samples.matching(&name, &[("operation", operation)]).count(), 1, "{operation} {name}");
        }
    }
    for (series, value) in samples.iter() {
        let operation = series.labels.get("operation").map(String::as_str);
        if operation.is_some_and(|operation| TRADING.contains(&operation)) {
            assert_eq!(value, 0.0, "nothing can have called it yet: {series:?}");
        }
    }
    for profile in ["maker-tight", "maker-wide"] {
        let labels = [("profile_id", profile)];
        let violations = samples.value("bytelyst_bot_capital_invariant_violations_total", &labels);
        assert_eq!(violations, Some(0.0), "{profile}");
    }
}

pub(super) fn its_version_is_that_of_its_build() {
    let ended = run(&mut command(&["--version"]));
    let version = ended.stdout.trim().strip_prefix("paper-bot ").expect("name and version");
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
    let samples = start(&["--fault", "hang-trading"]).scrape();
    assert_eq!(samples.value("bytelyst_bot_build_info", &[("version", version)]), Some(1.0), "{version}");
}

pub(super) fn exactly_the_events_that_the_bot_can_record_are_exported_from_the_start() {
    let bot = start(&["--fault", "hang-trading"]);
    let samples = bot.scrape();
    let exported: Vec<_> = samples
        .matching("bytelyst_bot_operational_events_total", &[("profile_id", ""), ("symbol", "")])
        .map(|(series, _)| format!("{} {}", series.labels["severity"], series.labels["type"]))
        .collect();
    let expected = [
        "CRITICAL CAPITAL_VIOLATION",
        "ERROR BANNED",
        "ERROR INVALID_CAPITAL",
        "ERROR ORDER_FAILURE",
        "ERROR ORDER_UNKNOWN",
        "ERROR RECONCILIATION_MISMATCH",
        "ERROR STALE_MARKET_DATA",
        "INFO CAPITAL_RESTORED",
        "INFO CIRCUIT_BREAKER",
        "INFO ORDER_CANCELLED",
        "INFO ORDER_FILLED",
        "INFO ORDER_PLACED",
        "INFO PROFILE_ADDED",
        "INFO STARTED",
        "INFO STOPPED",
        "WARNING API_FAILURE",
        "WARNING CIRCUIT_BREAKER",
        "WARNING ORDER_REJECTED",
        "WARNING PROFILE_REMOVED",
        "WARNING RATE_LIMITED",
    ];
    assert_eq!(exported.into_iter().collect::<BTreeSet<_>>(), expected.map(str::to_owned).into());
}

pub(super) fn it_trades_and_serves_the_nine_core_families_exactly() {
    let bot = start(&[]);
    let samples = bot.wait_until("every family of the seed moves", |samples| {
        FAMILIES.iter().filter(|family| family.origin == Origin::Core).all(|family| {
            samples
                .iter()
                .any(|(series, _)| series.name.starts_with(&format!("bytelyst_bot_{}", family.name)))
        }) && samples.sum("bytelyst_bot_operational_events_total", &[("type", "ORDER_FILLED")]) > 0.0
            && samples.sum("bytelyst_bot_profile_utilization_percent", &[]) > 0.0
    });
    for family in FAMILIES.iter().filter(|family| family.origin == Origin::Core) {
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
}

/// Asserts that label names, suffixes and bucket bounds are exactly the family's.
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

pub(super) fn every_family_of_the_catalogue_has_series() {
    let bot = start(&[]);
    // The default labels are on each series, so `target_info` is not exported.
    let unused = ["target_info"];
    let silent = |samples: &Samples| -> Vec<String> {
        let names: BTreeSet<_> = samples.iter().map(|(series, _)| series.name.clone()).collect();
        let families = FAMILIES.iter().filter(|family| !unused.contains(&family.name));
        let full_names = families.map(|family| family.full_name("bytelyst_bot"));
        full_names.filter(|name| !names.contains(name) && !names.contains(&format!("{name}_count"))).collect()
    };
    let samples = bot.wait_until("every family has a series", |samples| silent(samples).is_empty());
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    for symbol in ["BTCUSDT", "ETHUSDT", "SOLUSDT"] {
        let heard = format!("bytelyst_bot_market_data_last_update_timestamp_seconds{{symbol='{symbol}'}}");
        assert_metric!(samples, &heard, now - 30.0..now + 1.0);
    }
    assert_metric!(
        samples,
        "bytelyst_bot_exchange_rate_limit_used_ratio{limit='request_weight'}",
        0.001..1.0
    );
    assert_metric!(samples, "bytelyst_bot_tokio_scheduler_lag_seconds_count", 1..);
    for profile in ["maker-tight", "maker-wide"] {
        assert_metric!(samples, &format!("bytelyst_bot_capital_below_zero{{profile_id='{profile}'}}"), 0);
    }
}
