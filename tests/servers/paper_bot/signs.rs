//! All signs of trouble in a bot's metrics, so that a test can assert that exactly the expected ones are present.

use std::collections::BTreeSet;

use bot_metrics::testing::{Samples, Series};

use super::customer::PROFILES;

/// Every sign of trouble in `samples`, in words; empty if all is well.
pub(crate) fn of(samples: &Samples) -> BTreeSet<String> {
    let counted = samples.iter().filter_map(|(series, value)| sign(series, value));
    counted.chain(slow_operations(samples)).chain(states(samples)).collect()
}

/// The signs that pass when the trouble ends; all others are counts.
pub(crate) fn states(samples: &Samples) -> BTreeSet<String> {
    let gauges = samples.iter().filter(|(series, _)| !series.name.ends_with("_total"));
    let present = gauges.filter_map(|(series, value)| sign(series, value));
    let lost = PROFILES.iter().filter_map(|profile| {
        let utilization = [("profile_id", *profile)];
        let missing = samples.value("bytelyst_bot_profile_utilization_percent", &utilization).is_none();
        missing.then(|| format!("no utilisation of {profile}"))
    });
    present.chain(lost).collect()
}

/// Operations one of whose calls took longer than one and a half seconds: six times as long as the slowest one without a
/// fault, and three quarters of a slow one.
fn slow_operations(samples: &Samples) -> Vec<String> {
    let latency = "bytelyst_bot_exchange_api_latency_seconds";
    let counts = format!("{latency}_count");
    let slow = samples.matching(&counts, &[]).filter_map(|(series, count)| {
        let operation = series.labels.get("operation")?.as_str();
        let quick = [("operation", operation), ("le", "1.5")];
        let is_slow = samples.sum(&format!("{latency}_bucket"), &quick) < count;
        is_slow.then(|| format!("slow calls: {operation}"))
    });
    slow.collect()
}

/// The trouble that a series shows, if any.
fn sign(series: &Series, value: f64) -> Option<String> {
    let label = |name: &str| series.labels.get(name).map_or("", String::as_str);
    let name = series.name.strip_prefix("bytelyst_bot_")?;
    let (is_wrong, what) = match name {
        "subsystem_alive" => (value != 1.0, format!("{} stalled", label("subsystem"))),
        "subsystem_paused" => (value != 0.0, format!("{} paused", label("subsystem"))),
        "subsystem_runs_total" => {
            let outcome = label("outcome");
            (value > 0.0 && outcome != "ok", format!("{} ended {outcome}", label("subsystem")))
        }
        "exchange_api_requests_total" => {
            let (operation, outcome) = (label("operation"), label("outcome"));
            // The rejection of a post-only order that would take, and of cancelling an order that was just filled,
            // are answers.
            let is_answer = matches!(outcome, "ok" | "rejected");
            (value > 0.0 && !is_answer, format!("calls {outcome}: {operation}"))
        }
        "exchange_rate_limit_used_ratio" => (value > 1.0, format!("limit {} exceeded", label("limit"))),
        "capital_invariant_violations_total" => {
            (value > 0.0, format!("violations of {}", label("profile_id")))
        }
        "capital_below_zero" => (value != 0.0, format!("{} below zero", label("profile_id"))),
        "profile_utilization_percent" => (value > 100.0, format!("{} over-allocated", label("profile_id"))),
        "reconciliation_mismatches_total" => (value > 0.0, "mismatches".to_owned()),
        "reconciliation_missing_items_count" => (value > 0.0, format!("missing from {}", label("source"))),
        "operational_events_total" => {
            let harmless = label("severity") == "INFO" || label("type") == "ORDER_REJECTED";
            (value > 0.0 && !harmless, format!("event {}", label("type")))
        }
        "label_overflow_total"
        | "invalid_observations_total"
        | "foreign_collector_failures_total"
        | "clock_fallbacks_total"
        | "recordings_lost_total" => (value > 0.0, name.to_owned()),
        _ => return None,
    };
    is_wrong.then_some(what)
}

/// Asserts that exactly these signs are present.
#[track_caller]
pub(crate) fn are(samples: &Samples, expected: &[&str]) {
    let found = of(samples);
    assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected.iter().copied().collect());
}
