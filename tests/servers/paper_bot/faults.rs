//! Each fault changes the behaviour of the bot or its exchange; the metrics must show that and nothing else.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bot_metrics::assert_metric;
use bot_metrics::testing::Samples;
use bot_metrics_tests::paper_bot::{Ended, Running, command, run, start};

use super::signs;

const LAST_RUN: &str = "bytelyst_bot_subsystem_last_run_timestamp";
const RUNS: &str = "bytelyst_bot_subsystem_runs_total";
const REQUESTS: &str = "bytelyst_bot_exchange_api_requests_total";
const VIOLATIONS: &str = "bytelyst_bot_capital_invariant_violations_total";
const MISSING: &str = "bytelyst_bot_reconciliation_missing_items_count";
const MISMATCHES: &str = "bytelyst_bot_reconciliation_mismatches_total";
const EVENTS: &str = "bytelyst_bot_operational_events_total";

const LOOPS: [&str; 3] = ["trading", "monitor", "reconciliation"];
const PROFILES: [&str; 2] = ["maker-tight", "maker-wide"];

/// When each fault begins: after the first orders are placed.
const BEGINS: &str = "3s";

/// The longest recovery on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A fault, and the traces that it leaves.
struct Case {
    fault: &'static str,
    /// How long it lasts.
    lasts: &'static str,
    /// The beginnings of the signs that it causes.
    causes: &'static [&'static str],
    /// The beginnings of the signs that it may cause besides, depending on the calls in progress when it begins.
    may_cause: &'static [&'static str],
    /// Words that the bot prints, and how often.
    says: &'static [(&'static str, usize)],
}

/// A loop is stalled 5 s after its last success, reconciliation 15 s. A call that fails while an order is placed leaves
/// the order unknown or refused.
const CASES: &[Case] = &[
    Case {
        fault: "hang-trading",
        lasts: "8s",
        causes: &["trading stalled", "unhealthy"],
        // Trading fetches the market data.
        may_cause: &["event STALE_MARKET_DATA"],
        says: &[("trading fails", 0)],
    },
    Case {
        fault: "fail-trading",
        lasts: "8s",
        causes: &["trading ended error", "trading stalled"],
        may_cause: &[],
        says: &[("trading fails: the fault fail-trading is active", 1), ("trading works again after ", 1)],
    },
    Case {
        fault: "panic-monitor",
        lasts: "8s",
        causes: &["monitor ended panic", "monitor stalled"],
        may_cause: &[],
        says: &[("monitor fails: the cycle panicked", 1), ("monitor works again after ", 1)],
    },
    Case { fault: "idle-strategy", lasts: "5s", causes: &[], may_cause: &[], says: &[] },
    Case {
        fault: "rate-limit",
        lasts: "3s",
        causes: &["calls rate_limited: ", "event RATE_LIMITED", "trading ended rate_limited"],
        may_cause: &[
            "event ORDER_FAILURE",
            "event STALE_MARKET_DATA",
            "monitor ended rate_limited",
            "monitor stalled",
            "reconciliation ended rate_limited",
            "trading stalled",
        ],
        says: &[("trading fails: ", 1), ("trading works again after ", 1)],
    },
    Case {
        fault: "banned",
        lasts: "3s",
        causes: &["calls banned: ", "event BANNED", "trading ended banned"],
        may_cause: &[
            "event ORDER_FAILURE",
            "event STALE_MARKET_DATA",
            "monitor ended banned",
            "monitor stalled",
            "reconciliation ended banned",
            "trading stalled",
        ],
        says: &[],
    },
    Case {
        fault: "server-error",
        lasts: "5s",
        causes: &["calls server_error: ", "event API_FAILURE", "trading ended server_error"],
        may_cause: &[
            "event ORDER_UNKNOWN",
            "event STALE_MARKET_DATA",
            "monitor ended server_error",
            "monitor stalled",
            "reconciliation ended server_error",
            "trading stalled",
        ],
        says: &[],
    },
    Case {
        fault: "timeout",
        lasts: "6s",
        causes: &["calls timeout: ", "event API_FAILURE", "slow calls: ", "trading ended timeout"],
        may_cause: &[
            "event ORDER_UNKNOWN",
            "event STALE_MARKET_DATA",
            "monitor ended timeout",
            "monitor stalled",
            "reconciliation ended timeout",
            "trading stalled",
        ],
        says: &[],
    },
    Case {
        fault: "lost-reply",
        lasts: "5s",
        causes: &["calls transport: place_order", "event API_FAILURE", "event ORDER_UNKNOWN"],
        may_cause: &[],
        says: &[("trading fails", 0)],
    },
    Case {
        fault: "slow-exchange",
        lasts: "8s",
        causes: &["slow calls: place_order"],
        may_cause: &[],
        says: &[],
    },
    Case {
        fault: "clock-skew",
        lasts: "5s",
        causes: &["calls auth: ", "event API_FAILURE", "trading ended auth"],
        may_cause: &[
            "event ORDER_FAILURE",
            "monitor ended auth",
            "monitor stalled",
            "reconciliation ended auth",
            "trading stalled",
        ],
        says: &[],
    },
    Case {
        fault: "halt-markets",
        lasts: "7s",
        // An order in transit at the moment of the halt is rejected.
        causes: &["event CIRCUIT_BREAKER", "trading paused"],
        may_cause: &[],
        says: &[
            ("the exchange has halted its markets: trading pauses", 1),
            ("the markets are open again: trading goes on", 1),
        ],
    },
    Case {
        fault: "stale-market-data",
        lasts: "9s",
        causes: &["event STALE_MARKET_DATA"],
        may_cause: &[],
        says: &[("market data is ", 3)],
    },
    Case {
        fault: "blind-reconciliation",
        lasts: "7s",
        causes: &[
            "calls server_error: get_open_orders",
            "event API_FAILURE",
            "reconciliation ended server_error",
        ],
        may_cause: &[],
        says: &[("reconciliation fails: the exchange failed with status 503", 1)],
    },
    Case {
        fault: "orphan-order",
        lasts: "7s",
        causes: &["event RECONCILIATION_MISMATCH", "mismatches", "missing from db"],
        may_cause: &[],
        says: &[("is open at the exchange and is missing from the database", 1)],
    },
    Case {
        fault: "ghost-order",
        lasts: "7s",
        causes: &["event RECONCILIATION_MISMATCH", "mismatches", "missing from exchange"],
        may_cause: &[],
        says: &[("is in the database and missing from the exchange", 1)],
    },
    Case {
        fault: "negative-capital",
        lasts: "6s",
        causes: &[
            "event CAPITAL_VIOLATION",
            "maker-tight below zero",
            "maker-tight over-allocated",
            "violations of maker-tight",
        ],
        may_cause: &[],
        // Three checks find it below zero.
        says: &[
            ("CRITICAL CAPITAL_VIOLATION maker-tight: available capital fell to -", 1),
            ("INFO CAPITAL_RESTORED maker-tight: available capital is ", 1),
        ],
    },
    Case {
        fault: "over-allocated",
        lasts: "5s",
        causes: &["maker-wide over-allocated"],
        may_cause: &[],
        says: &[],
    },
    Case {
        fault: "remove-profile",
        lasts: "5s",
        causes: &["event PROFILE_REMOVED", "no utilisation of maker-wide"],
        may_cause: &[],
        says: &[("WARNING PROFILE_REMOVED maker-wide: stopped, its orders are cancelled", 1)],
    },
];

fn runs(samples: &Samples, subsystem: &str, outcome: &str) -> f64 {
    samples.value(RUNS, &[("subsystem", subsystem), ("outcome", outcome)]).unwrap_or_default()
}

fn placed(samples: &Samples) -> f64 {
    samples.sum(EVENTS, &[("type", "ORDER_PLACED")])
}

/// Asserts that the bot printed `words` this many times.
fn says(ended: &Ended, words: &str, times: usize) {
    assert_eq!(ended.stdout.matches(words).count(), times, "{words:?} in\n{}", ended.stdout);
}

/// A bot with one fault, and the signs of trouble so far.
struct Watched {
    bot: Running,
    seen: BTreeSet<String>,
}

impl Watched {
    fn look(&mut self) -> Samples {
        let samples = self.bot.scrape();
        self.seen.extend(signs::of(&samples));
        if self.bot.get("/-/healthy").0 != 200 {
            self.seen.insert("unhealthy".to_owned());
        }
        thread::sleep(Duration::from_millis(100));
        samples
    }

    fn has_seen(&self, sign: &str) -> bool {
        self.seen.iter().any(|seen| seen.starts_with(sign))
    }
}

/// Whether each loop has succeeded and orders were placed since `end`, and no trouble is left.
fn has_recovered(end: &Samples, now: &Samples) -> bool {
    let has_run = |subsystem: &&str| runs(now, subsystem, "ok") > runs(end, subsystem, "ok");
    LOOPS.iter().all(has_run) && placed(now) > placed(end) && signs::states(now).is_empty()
}

impl Case {
    fn check(&self) {
        let Self { fault, lasts, causes, .. } = self;
        let bot = start(&["--fault", &format!("{fault}@{BEGINS}+{lasts}")]);
        let metric = bot.wait_to_say(&format!("fault {fault} begins: see "));
        let mut watched = Watched { bot, seen: BTreeSet::new() };
        assert_exported(&watched.look(), &metric);
        // Cycles that were under way when the fault began may end as if there were none.
        let mut during = vec![watched.look()];
        let ends = format!("fault {fault} ends");
        while !watched.bot.has_said(&ends) {
            during.push(watched.look());
        }
        self.check_quiet(&during);
        let end = watched.look();
        let patience = Instant::now() + PATIENCE;
        loop {
            let now = watched.look();
            if has_recovered(&end, &now) && causes.iter().all(|sign| watched.has_seen(sign)) {
                break;
            }
            assert!(Instant::now() < patience, "{fault}: {:?}, {:?}", watched.seen, signs::states(&now));
        }
        let ended = watched.bot.terminate();
        let is_expected =
            |seen: &&String| causes.iter().chain(self.may_cause).any(|sign| seen.starts_with(sign));
        let others: Vec<_> = watched.seen.iter().filter(|seen| !is_expected(seen)).collect();
        assert!(others.is_empty(), "{fault} causes {others:?} too\n{}", ended.stdout);
        self.check_end(&ended);
    }

    /// A bot that does not trade places no order, which is not a sign of trouble by itself.
    fn check_quiet(&self, during: &[Samples]) {
        let is_quiet = matches!(self.fault, "idle-strategy" | "halt-markets");
        let later = &during[during.len() / 2..];
        let (Some(first), Some(last)) = (later.first(), later.last()) else { return };
        if is_quiet {
            assert_eq!(placed(first), placed(last), "{} lets the bot place orders", self.fault);
        }
        if self.fault == "idle-strategy" {
            assert!(runs(last, "trading", "ok") > runs(first, "trading", "ok"), "trading is alive");
        }
    }

    /// The bot ends well, and each of its orders was filled, was cancelled or is the one that the exchange forgot.
    fn check_end(&self, ended: &Ended) {
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        for (words, times) in self.says {
            says(ended, words, *times);
        }
        let sum = |what| PROFILES.iter().map(|profile| ended.count(profile, what)).sum::<u64>();
        let forgotten = u64::from(self.fault == "ghost-order");
        assert_eq!(sum("placed"), sum("filled") + sum("cancelled") + forgotten, "{}", ended.stdout);
        assert_eq!(sum("left open"), 0, "{}", ended.stdout);
    }
}

/// Asserts that a metric, as the bot names it, is exported.
fn assert_exported(samples: &Samples, metric: &str) {
    let (name, labels) = metric.split_once('{').unwrap_or((metric, "}"));
    let labels = labels.trim_end_matches('}').split(',').filter_map(|label| label.split_once('='));
    let labels: Vec<_> = labels.map(|(name, value)| (name, value.trim_matches('"'))).collect();
    let exists = ["", "_count"]
        .iter()
        .any(|suffix| samples.matching(&format!("bytelyst_bot_{name}{suffix}"), &labels).next().is_some());
    assert!(exists, "{metric} is not exported");
}

/// Runs all cases at the same time, and returns those that failed.
fn failed<'a>(cases: &[&'a Case]) -> Vec<&'a Case> {
    thread::scope(|scope| {
        let checks: Vec<_> = cases.iter().map(|case| (*case, scope.spawn(|| case.check()))).collect();
        checks.into_iter().filter_map(|(case, check)| check.join().is_err().then_some(case)).collect()
    })
}

/// The longest time for which this thread did not run although it could, until `end` is set.
fn longest_stall(end: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !end.load(Ordering::Relaxed) {
        let start = Instant::now();
        thread::sleep(Duration::from_millis(20));
        longest = longest.max(start.elapsed());
    }
    longest
}

/// A machine that stops for a while makes calls slow, which a case takes for a sign of trouble. Only then is it run
/// again.
pub(super) fn each_fault_leaves_its_traces_and_no_others_and_passes() {
    let mut left: Vec<_> = CASES.iter().collect();
    for _ in 0..3 {
        let end = AtomicBool::new(false);
        let stall = thread::scope(|scope| {
            let watch = scope.spawn(|| longest_stall(&end));
            left = failed(&left);
            end.store(true, Ordering::Relaxed);
            watch.join().expect("the watch does not panic")
        });
        if left.is_empty() || stall < Duration::from_millis(500) {
            break;
        }
        println!("the machine stopped for {stall:?}");
    }
    let names: Vec<_> = left.iter().map(|case| case.fault).collect();
    assert!(names.is_empty(), "{names:?}");
}

pub(super) fn the_list_of_faults_is_that_of_the_table_above() {
    let ended = run(&mut command(&["--fault", "list"]));
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
    let listed: Vec<_> =
        ended.stdout.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).collect();
    let names: Vec<_> = listed.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, CASES.iter().map(|case| case.fault).collect::<Vec<_>>());
    for (name, description) in listed {
        assert!(description.trim().ends_with('.'), "{name}: {description}");
    }
}

pub(super) fn negative_capital_that_recovers_and_falls_again_is_a_second_violation() {
    let bot = start(&["--fault", "negative-capital@2s+4s", "--fault", "negative-capital@9s"]);
    let _ = bot.wait_until("the second violation is counted", |samples| samples.sum(VIOLATIONS, &[]) == 2.0);
    let ended = bot.terminate();
    says(&ended, "fault negative-capital ends", 1);
    says(&ended, "INFO CAPITAL_RESTORED maker-tight: available capital is ", 1);
    says(&ended, "CRITICAL CAPITAL_VIOLATION maker-tight: available capital fell to -", 2);
}

pub(super) fn a_removed_profile_keeps_its_counters_for_their_grace_period() {
    let bot = start(&["--fault", "remove-profile@3s"]);
    let utilization = "bytelyst_bot_profile_utilization_percent";
    let removed = bot.wait_until("one profile vanishes", |samples| {
        samples.sum(EVENTS, &[("type", "PROFILE_REMOVED")]) == 1.0
            && samples.matching(utilization, &[]).count() == 1
    });
    assert_eq!(removed.matching(VIOLATIONS, &[]).count(), 2);
    let trades = runs(&removed, "trading", "ok");
    let later = bot.wait_until("trading went on", |samples| runs(samples, "trading", "ok") >= trades + 3.0);
    assert_eq!(later.matching(utilization, &[]).count(), 1, "it does not come back");
    assert_eq!(bot.terminate().count("maker-wide", "left open"), 0);
}

pub(super) fn an_orphan_counts_once_and_a_blind_reconciliation_keeps_its_last_figures() {
    // Reconciliation runs every 5 s, hence twice before it is blind; the order is gone before the next look.
    let bot = start(&["--fault", "orphan-order@1s+13s", "--fault", "blind-reconciliation@13s"]);
    let missing = |samples: &Samples, source| samples.value(MISSING, &[("source", source)]);
    let found = bot
        .wait_until("the order is missing from the database", |samples| missing(samples, "db") == Some(1.0));
    let cycles = runs(&found, "reconciliation", "ok");
    let again =
        bot.wait_until("a cycle finds it again", |samples| runs(samples, "reconciliation", "ok") > cycles);
    let reconciliation = [("subsystem", "reconciliation")];
    let failed =
        |samples: &Samples| samples.sum(RUNS, &reconciliation) - runs(samples, "reconciliation", "ok");
    let _ = bot.wait_to_say("fault orphan-order ends");
    let blind = bot.wait_until("a cycle fails", |samples| failed(samples) >= 1.0);
    let later = bot.wait_until("trading goes on", |samples| {
        runs(samples, "trading", "ok") > runs(&blind, "trading", "ok")
    });
    for samples in [&found, &again, &blind, &later] {
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
    let attempt = "bytelyst_bot_subsystem_last_attempt_timestamp_seconds{subsystem='reconciliation'}";
    assert_metric!(found.until(&later), attempt, 1.0.., "a failing run is an attempt");
}

pub(super) fn without_a_fault_there_is_no_sign_of_trouble() {
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
