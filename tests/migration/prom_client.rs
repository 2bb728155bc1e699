use std::collections::{BTreeMap, BTreeSet};

use bot_metrics::labels::{EventType, Exchange, Operation, Severity, Source, Subsystem};
use bot_metrics::testing::{Samples, instance};
use bot_metrics::{Capital, Outcome, ReconciliationReport};

/// The output of `prom-client.js` beside this file.
const OLD: &str = include_str!("prom-client.prom");

/// The labels and the bucket bounds of one series name.
type Shape = (BTreeSet<String>, BTreeSet<String>);

fn types(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect()
}

fn shapes(samples: &Samples) -> BTreeMap<String, Shape> {
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    for (series, _) in samples.iter() {
        let (labels, bounds) = shapes.entry(series.name.clone()).or_default();
        labels.extend(series.labels.keys().cloned());
        bounds.extend(series.labels.get("le").cloned());
    }
    shapes
}

/// Records the same as `prom-client.js`.
fn new_bot() -> String {
    let (metrics, clock) = instance();
    metrics.event(Severity::Error, EventType::OrderFailure).profile("maker").symbol("BTCUSDT").record();
    let trading = metrics.subsystem(Subsystem::Trading);
    let run = trading.start();
    clock.advance(std::time::Duration::from_millis(300));
    run.finish(Outcome::Ok);
    let call = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let attempt = call.start();
    clock.advance(std::time::Duration::from_millis(40));
    attempt.finish(Outcome::Ok);
    metrics.profile("maker").update(Capital { allocated: 100.0, positions: 120.0, ..Capital::default() });
    metrics.reconciliation().commit(ReconciliationReport::new().missing(Source::Db, "order 12"));
    metrics.exposition()
}

#[test]
fn every_series_of_prom_client_is_there_with_its_type_labels_and_buckets() {
    let new = new_bot();
    let (old_types, new_types) = (types(OLD), types(&new));
    assert_eq!(old_types.len(), 9);
    for (name, kind) in old_types {
        assert_eq!(new_types.get(name), Some(&kind), "{name}");
    }
    let (old, new) = (Samples::parse(OLD).expect("legal"), Samples::parse(&new).expect("legal"));
    let new_shapes = shapes(&new);
    for (name, (labels, bounds)) in shapes(&old) {
        let (new_labels, new_bounds) = &new_shapes[&name];
        assert_eq!(&labels, new_labels, "{name}");
        let lost: Vec<_> = bounds.difference(new_bounds).map(String::as_str).collect();
        // As the migration guide says.
        let expected: &[&str] =
            if name == "bytelyst_bot_exchange_api_latency_seconds_bucket" { &["0.25"] } else { &[] };
        assert_eq!(lost, expected, "{name}");
    }
    let cycles = "bytelyst_bot_subsystem_duration_seconds_bucket";
    assert_eq!(new_shapes[cycles], shapes(&old)[cycles], "no additional ones");
}

#[test]
fn the_same_events_give_the_same_values() {
    let (old, new) = (Samples::parse(OLD).expect("legal"), Samples::parse(&new_bot()).expect("legal"));
    for (series, value) in old.iter() {
        // A bound that only prom-client has, and the time at which the script ran.
        if series.labels.get("le").is_some_and(|le| le == "0.25" && series.name.contains("latency"))
            || series.name.ends_with("last_run_timestamp")
        {
            continue;
        }
        let found = new.iter().find(|(found, _)| *found == series).map(|(_, value)| value);
        assert_eq!(found, Some(value), "{series}");
    }
}
