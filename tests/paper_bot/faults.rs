//! Each fault changes the behaviour of the bot or its exchange; the metrics must show that and nothing else.

use bot_metrics::assert_metric;
use bot_metrics::testing::Samples;
use bot_metrics_tests::paper_bot::{Ended, start};

use crate::signs;

const ALIVE: &str = "bytelyst_bot_subsystem_alive";
const LAST_RUN: &str = "bytelyst_bot_subsystem_last_run_timestamp";
const RUNS: &str = "bytelyst_bot_subsystem_runs_total";
const REQUESTS: &str = "bytelyst_bot_exchange_api_requests_total";
const VIOLATIONS: &str = "bytelyst_bot_capital_invariant_violations_total";
const UTILIZATION: &str = "bytelyst_bot_profile_utilization_percent";
const MISSING: &str = "bytelyst_bot_reconciliation_missing_items_count";
const MISMATCHES: &str = "bytelyst_bot_reconciliation_mismatches_total";
const MARKET_DATA: &str = "bytelyst_bot_market_data_last_update_timestamp_seconds";
const EVENTS: &str = "bytelyst_bot_operational_events_total";

const TRADING: &[(&str, &str)] = &[("subsystem", "trading")];

fn runs(samples: &Samples, subsystem: &str, outcome: &str) -> f64 {
    samples.value(RUNS, &[("subsystem", subsystem), ("outcome", outcome)]).unwrap_or_default()
}

/// Asserts that the bot printed `words` this many times.
fn says(ended: &Ended, words: &str, times: usize) {
    assert_eq!(ended.stdout.matches(words).count(), times, "{words:?} in\n{}", ended.stdout);
}

#[test]
fn hang_trading_stalls_only_trading_which_recovers() {
    let bot = start(&["--fault", "hang-trading@3s+20s"]);
    let _ = bot.wait_until("trading has succeeded", |samples| samples.value(LAST_RUN, TRADING).is_some());
    let stalled = bot.wait_until("trading stalls", |samples| samples.value(ALIVE, TRADING) == Some(0.0));
    // The data that trading fetches becomes stale at about the time at which trading is stalled.
    signs::are_with(&stalled, &["trading stalled"], &["event STALE_MARKET_DATA"]);
    assert_eq!(stalled.value("bytelyst_bot_subsystem_in_progress", TRADING), Some(1.0));
    // The hung run began at most one period after the last success.
    let reason = bot.wait_for("/-/healthy", 503);
    assert!(reason.starts_with("trading hangs"), "{reason}");
    let meanwhile = bot.scrape();
    assert_eq!(meanwhile.value(LAST_RUN, TRADING), stalled.value(LAST_RUN, TRADING), "frozen meanwhile");
    let heard = [("symbol", "BTCUSDT")];
    assert_eq!(
        meanwhile.value(MARKET_DATA, &heard),
        stalled.value(MARKET_DATA, &heard),
        "trading fetches it"
    );
    let back = bot.wait_until("trading comes back", |samples| samples.value(ALIVE, TRADING) == Some(1.0));
    assert_eq!(bot.wait_for("/-/healthy", 200), "ok\n");
    assert!(back.value(LAST_RUN, TRADING) > stalled.value(LAST_RUN, TRADING));
    signs::are(&back, &["event STALE_MARKET_DATA"]);
    assert!(back.value(MARKET_DATA, &heard) > stalled.value(MARKET_DATA, &heard));
}

#[test]
fn negative_capital_is_one_violation_of_one_profile_and_not_one_for_each_check() {
    let bot = start(&["--fault", "negative-capital@2s"]);
    let fallen = bot.wait_until("a violation is counted", |samples| samples.sum(VIOLATIONS, &[]) > 0.0);
    let checks = runs(&fallen, "monitor", "ok");
    let later = bot
        .wait_until("three more checks were made", |samples| runs(samples, "monitor", "ok") >= checks + 3.0);
    assert_eq!(later.sum(VIOLATIONS, &[]), 1.0);
    assert_eq!(later.matching(VIOLATIONS, &[]).count(), 2, "the other profile is at 0");
    signs::are(
        &later,
        &[
            "event CAPITAL_VIOLATION",
            "maker-tight below zero",
            "maker-tight over-allocated",
            "violations of maker-tight",
        ],
    );
    let ended = bot.terminate();
    says(&ended, "fault negative-capital begins", 1);
    says(&ended, "Critical maker-tight: available capital fell to -", 1);
}

#[test]
fn negative_capital_that_recovers_and_falls_again_is_a_second_violation() {
    let bot = start(&["--fault", "negative-capital@2s+5s", "--fault", "negative-capital@12s"]);
    let _ = bot.wait_until("the second violation is counted", |samples| samples.sum(VIOLATIONS, &[]) == 2.0);
    let ended = bot.terminate();
    says(&ended, "fault negative-capital ends", 1);
    says(&ended, "Info maker-tight: available capital is ", 1);
    says(&ended, "Critical maker-tight: available capital fell to -", 2);
}

#[test]
fn a_foreign_order_counts_once_and_a_blind_reconciliation_keeps_its_last_figures() {
    // Reconciliation runs every 5 s, hence twice before it is blind; the order is gone before the next look.
    let bot = start(&["--fault", "foreign-order@1s+13s", "--fault", "blind-reconciliation@13s"]);
    let missing = |samples: &Samples, source| samples.value(MISSING, &[("source", source)]);
    let found = bot
        .wait_until("the order is missing from the database", |samples| missing(samples, "db") == Some(1.0));
    assert_eq!(missing(&found, "exchange"), Some(0.0));
    assert_eq!(found.sum(MISMATCHES, &[]), 1.0);
    let cycles = runs(&found, "reconciliation", "ok");
    let again =
        bot.wait_until("a cycle finds it again", |samples| runs(samples, "reconciliation", "ok") > cycles);
    let reconciliation = [("subsystem", "reconciliation")];
    let failed =
        |samples: &Samples| samples.sum(RUNS, &reconciliation) - runs(samples, "reconciliation", "ok");
    let _ = bot.wait_to_say("fault foreign-order ends");
    let blind = bot.wait_until("a cycle fails", |samples| failed(samples) >= 1.0);
    let later = bot.wait_until("trading goes on", |samples| {
        runs(samples, "trading", "ok") > runs(&blind, "trading", "ok")
    });
    for samples in [&again, &blind, &later] {
        assert_eq!((missing(samples, "db"), missing(samples, "exchange")), (Some(1.0), Some(0.0)));
        assert_eq!(samples.sum(MISMATCHES, &[]), 1.0, "once, and not once for each cycle");
        let kind = "bytelyst_bot_reconciliation_mismatches_by_kind_total{kind='missing',source='db'}";
        assert_metric!(samples, kind, 1);
    }
    assert_eq!(
        later.value(LAST_RUN, &reconciliation),
        again.value(LAST_RUN, &reconciliation),
        "frozen meanwhile"
    );
    assert!(later.sum(REQUESTS, &[("operation", "get_open_orders"), ("outcome", "server_error")]) >= 1.0);
    signs::are(&found, &["event RECONCILIATION_MISMATCH", "mismatches", "missing from db"]);
    signs::are(
        &later,
        &[
            "calls server_error: get_open_orders",
            "event API_FAILURE",
            "event RECONCILIATION_MISMATCH",
            "mismatches",
            "missing from db",
            "reconciliation ended server_error",
        ],
    );
    let attempt = "bytelyst_bot_subsystem_last_attempt_timestamp_seconds{subsystem='reconciliation'}";
    assert_metric!(found.until(&later), attempt, 1.0.., "a failing run is an attempt");
    let ended = bot.terminate();
    says(&ended, "is open at the exchange and is missing from the database", 1);
    says(&ended, "reconciliation fails: the exchange failed with status 503", 1);
}

#[test]
fn remove_profile_removes_its_gauges_and_keeps_the_other_profiles() {
    let bot = start(&["--fault", "remove-profile@5s"]);
    let _ =
        bot.wait_until("both profiles are in use", |samples| samples.matching(UTILIZATION, &[]).count() == 2);
    let removed = bot.wait_until("one vanishes", |samples| samples.matching(UTILIZATION, &[]).count() == 1);
    assert_eq!(removed.matching(VIOLATIONS, &[]).count(), 2, "counters stay for their grace period");
    let trades = runs(&removed, "trading", "ok");
    let later = bot.wait_until("trading went on", |samples| runs(samples, "trading", "ok") >= trades + 3.0);
    assert_eq!(later.matching(UTILIZATION, &[]).count(), 1, "it does not come back");
    signs::are(&later, &["event PROFILE_REMOVED", "no utilisation of maker-wide"]);
    let ended = bot.terminate();
    says(&ended, "Warning maker-wide: stopped, its orders are cancelled", 1);
    assert_eq!(ended.count("maker-wide", "left open"), 0, "{}", ended.stdout);
}

#[test]
fn rate_limit_is_an_outcome_of_its_own() {
    let bot = start(&["--fault", "rate-limit@3s+4s"]);
    let limited = bot.wait_until("calls are refused for their rate", |samples| {
        samples.sum(REQUESTS, &[("outcome", "rate_limited")]) > 0.0
    });
    let placed = [("operation", "place_order"), ("outcome", "ok")];
    let before = limited.sum(REQUESTS, &placed);
    // Long enough for loops to be stalled, all of whose runs failed in the meantime.
    let again = bot.wait_until("orders are placed again", |samples| {
        samples.sum(REQUESTS, &placed) > before && samples.sum(ALIVE, &[]) == 3.0
    });
    assert!(again.sum(EVENTS, &[("type", "RATE_LIMITED")]) > 0.0);
    signs::are_with(
        &again,
        &["event RATE_LIMITED"],
        &[
            "calls rate_limited: ",
            "event STALE_MARKET_DATA",
            "monitor ended rate_limited",
            "reconciliation ended rate_limited",
            "trading ended rate_limited",
        ],
    );
    let ended = bot.terminate();
    says(&ended, "trading fails: ", 1);
    says(&ended, "trading works again after ", 1);
}

#[test]
fn halted_markets_pause_trading_and_stall_nothing() {
    let paused = "bytelyst_bot_subsystem_paused{subsystem='trading'}";
    let bot = start(&["--fault", "halt-markets@4s+12s"]);
    let well =
        bot.wait_until("orders are placed", |samples| samples.sum(EVENTS, &[("type", "ORDER_PLACED")]) > 0.0);
    assert_metric!(well, paused, 0);
    signs::are(&well, &[]);
    let _ = bot.wait_until("trading pauses", |samples| {
        samples.value("bytelyst_bot_subsystem_paused", TRADING) == Some(1.0)
    });
    // Longer than the 5 s after which a loop is stalled.
    let long = bot.wait_to_say("fault halt-markets ends");
    assert_eq!(long, "");
    let still = bot.scrape();
    // An order in transit at the moment of the halt is rejected.
    signs::are(&still, &["event CIRCUIT_BREAKER", "trading paused"]);
    assert_metric!(still, "bytelyst_bot_subsystem_alive{subsystem='trading'}", 1);
    let last = still.value(LAST_RUN, TRADING);
    let back = bot.wait_until("trading goes on", |samples| {
        samples.value("bytelyst_bot_subsystem_paused", TRADING) == Some(0.0)
            && samples.value(LAST_RUN, TRADING) > last
    });
    signs::are(&back, &["event CIRCUIT_BREAKER"]);
    let ended = bot.terminate();
    says(&ended, "the exchange has halted its markets: trading pauses", 1);
    says(&ended, "the markets are open again: trading goes on", 1);
}

#[test]
fn without_a_fault_there_is_no_sign_of_trouble() {
    let bot = start(&[]);
    let well = bot
        .wait_until("reconciliation ran three times", |samples| runs(samples, "reconciliation", "ok") >= 3.0);
    signs::are(&well, &[]);
    assert_metric!(
        well,
        "bytelyst_bot_exchange_rate_limit_used_ratio{exchange='paper',limit='request_weight'}",
        0.001..1.0
    );
}
