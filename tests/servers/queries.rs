//! The results of a real Prometheus for the library's exposition.

use bot_metrics_tests::paper_bot::start;

use crate::Outcome;
use crate::prometheus::{Prometheus, Vector};

const VIOLATIONS: &str = "bytelyst_bot_capital_invariant_violations_total";
const EVENTS: &str = "bytelyst_bot_operational_events_total";

/// A counter that appears at 1 shows no increase; the library's is exported as 0 as soon as the profile is known.
pub(crate) fn first_violation() -> Outcome {
    let bot = start(&["--fault", "negative-capital@25s"]);
    let prometheus = Prometheus::scraping(bot.url())?;
    let before = prometheus.query(&format!("{VIOLATIONS} == 0"))?;
    if before.len() != 2 {
        return Err(format!("both profiles are known before anything happened: {before:?}").into());
    }
    let grown = prometheus.wait_for(&format!("increase({VIOLATIONS}[5m]) > 0"), |grown| !grown.is_empty())?;
    let profiles: Vec<_> = grown.iter().map(|(labels, _)| labels["profile_id"].as_str()).collect();
    if profiles != ["maker-tight"] || prometheus.value(&format!("sum({VIOLATIONS})"))? != 1.0 {
        return Err(format!("{grown:?}").into());
    }
    Ok(())
}

/// The queries for which the metrics guide gives each metric.
pub(crate) fn seeds_queries() -> Outcome {
    let bot = start(&["--fault", "orphan-order@20s"]);
    let prometheus = Prometheus::scraping(bot.url())?;
    let all = |wanted: fn(f64) -> bool, count| {
        move |found: &Vector| found.len() == count && found.iter().all(|(_, value)| wanted(*value))
    };
    // Identify slow execution cycles; p95 of each loop.
    let slow = "histogram_quantile(0.95, sum by (subsystem, le) (rate(bytelyst_bot_subsystem_duration_seconds_bucket[1m])))";
    // A loop without a run within the window has no quantile.
    prometheus.wait_for(&format!("({slow}) >= 0"), all(|value| value > 0.0 && value <= 10.0, 3))?;
    // Distinguish internal lag and the exchange's; p99 of each operation.
    let exchange = "histogram_quantile(0.99, sum by (exchange, operation, le) \
                    (rate(bytelyst_bot_exchange_api_latency_seconds_bucket{operation=\"place_order\"}[1m])))";
    prometheus.wait_for(exchange, all(|value| value > 0.005 && value < 2.5, 1))?;
    // The traffic light, and how recently each process checked in.
    prometheus.wait_for("bytelyst_bot_subsystem_alive", all(|value| value == 1.0, 3))?;
    prometheus.wait_for(
        "time() - bytelyst_bot_subsystem_last_run_timestamp",
        all(|value| (-1.0..30.0).contains(&value), 3),
    )?;
    // Capital efficiency and exposure; violations should always be 0.
    prometheus
        .wait_for("bytelyst_bot_profile_utilization_percent", all(|value| value > 0.0 && value < 100.0, 2))?;
    prometheus.wait_for(&format!("increase({VIOLATIONS}[1m])"), all(|value| value == 0.0, 2))?;
    // The one source of truth, and synchronisation drift.
    prometheus.wait_for("increase(bytelyst_bot_reconciliation_mismatches_total[1m]) > 0", |found| {
        found.len() == 1
    })?;
    let missing = "bytelyst_bot_reconciliation_missing_items_count";
    prometheus.wait_for(&format!("{missing}{{source=\"db\"}}"), all(|value| value == 1.0, 1))?;
    prometheus.wait_for(&format!("{missing}{{source=\"exchange\"}}"), all(|value| value == 0.0, 1))?;
    // Spikes of errors: a series that appears with its first event counts with its value.
    let errors = format!("{EVENTS}{{severity=\"ERROR\"}}");
    let spikes =
        format!("sum by (type) (increase({errors}[1m]) > 0 or ({errors} > 0 unless {errors} offset 1m))");
    let spikes = prometheus.wait_for(&spikes, |found| !found.is_empty())?;
    if spikes[0].0["type"] != "RECONCILIATION_MISMATCH" {
        return Err(format!("{spikes:?}").into());
    }
    prometheus.wait_for(&format!("sum(increase({EVENTS}{{type=\"ORDER_PLACED\"}}[1m])) > 0"), |found| {
        found.len() == 1
    })?;
    // Every metric is tagged.
    let tags = prometheus.query("count by (app, env, mode) ({__name__=~\"bytelyst_bot_.+\"})")?;
    let expected = [("app", "bytelyst-trading-bot-service"), ("env", "development"), ("mode", "paper")];
    let found: Vec<_> =
        tags.iter().flat_map(|(labels, _)| labels).map(|(k, v)| (k.as_str(), v.as_str())).collect();
    if found != expected {
        return Err(format!("{tags:?}").into());
    }
    Ok(())
}

/// The last recordings are in Prometheus after the bot has ended.
pub(crate) fn nothing_is_lost() -> Outcome {
    let mut bot = start(&["--drain", "50s"]);
    let prometheus = Prometheus::scraping(bot.url())?;
    let placed = format!("sum({EVENTS}{{type=\"ORDER_PLACED\"}}) > 10");
    prometheus.wait_for(&placed, |found| found.len() == 1)?;
    bot.signal(libc::SIGTERM);
    let ended = bot.wait();
    if !ended.stdout.ends_with("the last values were scraped\n") || ended.status.code() != Some(0) {
        return Err(format!("{ended:?}").into());
    }
    let last = |profile: &str, kind: &str| {
        let events = format!("{EVENTS}{{profile_id=\"{profile}\",type=\"{kind}\"}}");
        // The sample may still be on its way into the storage.
        let last = format!("sum(last_over_time({events}[5m]))");
        prometheus.wait_for(&last, |found| !found.is_empty()).map(|found| found[0].1)
    };
    if last("", "STOPPED")? != 1.0 {
        return Err("its last samples are missing".into());
    }
    for profile in ["maker-tight", "maker-wide"] {
        for (what, kind) in [("placed", "ORDER_PLACED"), ("cancelled", "ORDER_CANCELLED")] {
            #[expect(clippy::cast_precision_loss, reason = "a few orders")]
            let told = ended.count(profile, what) as f64;
            let found = last(profile, kind)?;
            if found != told {
                return Err(format!("{profile}: {told} {what}, but {found} are known to Prometheus").into());
            }
        }
    }
    Ok(())
}
