//! From a fault to its alerts and back: a real Prometheus with the generated rules scrapes bots with one fault each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use bot_metrics_examples::fault::Fault;
use bot_metrics_tests::demo::Running;
use bot_metrics_tests::paper_bot::{command, run, start, start_at};
use libtest_mimic::Failed;

use crate::Outcome;
use crate::process::{Directory, is_long};
use crate::prometheus::Prometheus;

/// Divides windows and holds of the rules. The shortest window, of five minutes, has four scrapes, and the slowest alert,
/// whose window is six hours, ends within minutes.
const TIME_SCALE: &str = "100";

/// The time between two scrapes of a bot, and between two evaluations of the rules.
const INTERVAL: &str = "750ms";

/// The app of the bot, for which its rules are.
const JOB: &str = "bytelyst-trading-bot-service";

/// The instance of the bot without a fault.
const NO_FAULT: &str = "no-fault";

/// The time after the last fault in which the last alert ends on a busy machine; that of half an hour takes 18 s, and that
/// of six hours, which only the long version awaits, 216 s. The scenarios of promtool have its end in any case.
fn patience() -> Duration {
    Duration::from_secs(if is_long() { 280 } else { 100 })
}

/// A fault, and the alerts that it causes, each with the value of its label `subsystem`, `window` or `source`.
struct Case {
    fault: Fault,
    /// The second at which it begins, after the first orders are placed, and the number of seconds that it lasts.
    time: [u64; 2],
    fires: &'static [&'static [&'static str]],
    /// Alerts that may fire besides, depending on the calls in progress when it begins.
    may_fire: &'static [&'static str],
}

/// Long enough for every loop to stall, and too short for market data to become stale.
const USUAL: [u64; 2] = [20, 45];

/// Long enough for reconciliation to stall, and too short for its few calls to use the budget of three days.
const SHORT: [u64; 2] = [20, 19];

/// After four half hours of the rules, so that the usual rate of orders is known; then until market data is stale.
const LATE: [u64; 2] = [95, 75];

const TRADING_STALLED: &[&str] = &["BotSubsystemStalled trading", "BotSubsystemStaleByClock trading"];
const MONITOR_STALLED: &[&str] = &["BotSubsystemStalled monitor", "BotSubsystemStaleByClock monitor"];
const RECONCILIATION_STALLED: &[&str] = &[
    "BotSubsystemStalled reconciliation",
    "BotSubsystemStaleByClock reconciliation",
    "BotReconciliationBlind reconciliation",
];
const ERROR_BURN: &[&str] = &[
    "BotExchangeErrorBudgetBurn fast",
    "BotExchangeErrorBudgetBurn medium",
    "BotExchangeErrorBudgetBurn slow",
];
const LATENCY_BURN: &[&str] = &[
    "BotExchangeLatencyBudgetBurn fast",
    "BotExchangeLatencyBudgetBurn medium",
    "BotExchangeLatencyBudgetBurn slow",
];

/// An order that is being placed when a fault begins fails or is unknown.
const IN_PROGRESS: &[&str] = &["BotErrorEvents", "BotOrderFailureRatio", "BotOrderStateUnknown"];

#[rustfmt::skip]
const CASES: [Case; 19] = [
    Case { fault: Fault::HangTrading, time: USUAL, fires: &[TRADING_STALLED], may_fire: &[] },
    Case { fault: Fault::FailTrading, time: USUAL, fires: &[TRADING_STALLED], may_fire: &[] },
    Case { fault: Fault::PanicMonitor, time: USUAL, fires: &[MONITOR_STALLED], may_fire: &[] },
    Case { fault: Fault::IdleStrategy, time: LATE, fires: &[&["BotStrategyIdle trading"]], may_fire: &[] },
    Case {
        fault: Fault::RateLimit,
        time: USUAL,
        fires: &[&["BotRateLimited"], TRADING_STALLED, MONITOR_STALLED, RECONCILIATION_STALLED],
        may_fire: IN_PROGRESS,
    },
    Case {
        fault: Fault::Banned,
        time: USUAL,
        fires: &[&["BotBannedByExchange"], TRADING_STALLED, MONITOR_STALLED, RECONCILIATION_STALLED],
        may_fire: IN_PROGRESS,
    },
    Case {
        fault: Fault::ServerError,
        time: USUAL,
        fires: &[ERROR_BURN, TRADING_STALLED, MONITOR_STALLED, RECONCILIATION_STALLED],
        may_fire: IN_PROGRESS,
    },
    Case {
        fault: Fault::Timeout,
        time: USUAL,
        fires: &[ERROR_BURN, LATENCY_BURN, TRADING_STALLED, MONITOR_STALLED, RECONCILIATION_STALLED],
        // The ten minutes in which BotExchangeSlow counts three slow calls are 6 s here: time for two of an operation.
        may_fire: &["BotErrorEvents", "BotExchangeSlow", "BotOrderStateUnknown"],
    },
    Case {
        fault: Fault::LostReply,
        time: USUAL,
        fires: &[&["BotOrderStateUnknown", "BotErrorEvents"], ERROR_BURN],
        may_fire: &[],
    },
    Case { fault: Fault::SlowExchange, time: USUAL, fires: &[&["BotExchangeSlow"], LATENCY_BURN], may_fire: &[] },
    Case {
        fault: Fault::ClockSkew,
        time: USUAL,
        fires: &[&["BotCredentialsRefused"], TRADING_STALLED, MONITOR_STALLED, RECONCILIATION_STALLED],
        may_fire: IN_PROGRESS,
    },
    // The bot pauses until the markets are open again, which is no trouble of its own, for as long as an idle strategy
    // would need to be told.
    Case { fault: Fault::HaltMarkets, time: LATE, fires: &[], may_fire: &[] },
    // Without fresh data the bot withdraws its quotes, and places none.
    Case {
        fault: Fault::StaleMarketData,
        time: LATE,
        fires: &[&["BotMarketDataStale", "BotStrategyIdle trading"]],
        may_fire: &[],
    },
    Case { fault: Fault::BlindReconciliation, time: SHORT, fires: &[RECONCILIATION_STALLED], may_fire: &[] },
    Case {
        fault: Fault::OrphanOrder,
        time: USUAL,
        fires: &[&["BotReconciliationMismatch", "BotReconciliationItemsMissing db"]],
        may_fire: &[],
    },
    // The bot takes the order off its books, so that it is missing in one cycle alone.
    Case { fault: Fault::GhostOrder, time: USUAL, fires: &[&["BotReconciliationMismatch"]], may_fire: &[] },
    Case {
        fault: Fault::NegativeCapital,
        time: USUAL,
        fires: &[&["BotCapitalInvariantViolated", "BotCriticalEvent", "BotProfileOverAllocated"]],
        may_fire: &[],
    },
    Case { fault: Fault::OverAllocated, time: USUAL, fires: &[&["BotProfileOverAllocated"]], may_fire: &[] },
    // A person removes it.
    Case { fault: Fault::RemoveProfile, time: USUAL, fires: &[], may_fire: &[] },
];

/// Exactly the alerts of the table fire, none at a bot without a fault, and all end; those with a window of six hours only
/// in the long version.
pub(crate) fn as_the_table_says() -> Outcome {
    let known: BTreeSet<_> = CASES.iter().map(|case| case.fault).collect();
    if known.len() != Fault::ALL.len() {
        return Err("the table does not have every fault once".into());
    }
    let mut bots = start_all();
    let prometheus = watching(&bots)?;
    prometheus.wait_for("up == 1", |up| up.len() == bots.len())?;
    let begin = Instant::now();
    let last = CASES.iter().map(|case| case.time.iter().sum()).max().unwrap_or_default();
    thread::sleep(Duration::from_secs(last));
    all_have_ended(&prometheus, begin + Duration::from_secs(last) + patience())?;
    let mut fired = fired(&prometheus, begin.elapsed())?;
    let mut faults: Vec<_> = CASES
        .iter()
        .filter_map(|case| case.fault_of(&fired.remove(case.fault.as_str()).unwrap_or_default()))
        .collect();
    faults.extend(fired.into_iter().map(|(instance, names)| format!("{instance} fires {names:?}")));
    faults.extend(killed_and_started(&prometheus, bots.pop()).err());
    println!("the last awaited alert ended after {:.0?}", begin.elapsed());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

impl Case {
    /// The difference between the alerts that fired and those expected; `None` without one.
    fn fault_of(&self, fired: &BTreeSet<String>) -> Option<String> {
        let expected: BTreeSet<_> = self.fires.iter().copied().flatten().copied().collect();
        let is_expected = |name: &str| expected.contains(name) || self.may_fire.contains(&name);
        let missing: Vec<_> = expected.iter().filter(|name| !fired.contains(**name)).collect();
        let unexpected: Vec<_> = fired.iter().filter(|name| !is_expected(name)).collect();
        let is_right = missing.is_empty() && unexpected.is_empty();
        (!is_right).then(|| format!("{}: {unexpected:?} fired too, {missing:?} did not", self.fault))
    }
}

/// A bot for each case and one without a fault, each with its instance.
fn start_all() -> Vec<(&'static str, Running)> {
    let faulty = CASES.iter().map(|Case { fault, time: [begins, lasts], .. }| {
        (fault.as_str(), start(&["--fault", &format!("{fault}@{begins}s+{lasts}s")]))
    });
    faulty.chain([(NO_FAULT, start(&[]))]).collect()
}

/// A Prometheus with the bot's rules.
fn watching(bots: &[(&str, Running)]) -> Result<Prometheus, Failed> {
    let directory = Directory::new();
    let rules = run(&mut command(&["metrics", "rules", "--time-scale", TIME_SCALE]));
    fs::write(directory.path().join("rules.yml"), rules.stdout)?;
    let target = |(instance, bot): &(&str, Running)| {
        let address = bot.url().trim_start_matches("http://");
        format!("      - {{targets: ['{address}'], labels: {{instance: {instance}}}}}\n")
    };
    let targets: String = bots.iter().map(target).collect();
    let configuration = format!(
        "global: {{scrape_interval: {INTERVAL}, scrape_timeout: {INTERVAL}, evaluation_interval: {INTERVAL}}}\n\
         rule_files: [rules.yml]\nscrape_configs:\n  - job_name: {JOB}\n    honor_labels: true\n    \
         static_configs:\n{targets}"
    );
    Ok(Prometheus::configured(directory, &configuration, &[])?)
}

/// The alert of a bot that is killed, and its end when it is started again.
fn killed_and_started(prometheus: &Prometheus, bot: Option<(&str, Running)>) -> Result<(), String> {
    let (instance, bot) = bot.ok_or("no bot is left")?;
    let port = bot.url().rsplit(':').next().and_then(|port| port.parse().ok()).ok_or("no port")?;
    drop(bot);
    let down = format!("ALERTS{{alertname=\"BotDown\",alertstate=\"firing\",instance=\"{instance}\"}}");
    let fired = prometheus.wait_for(&down, |fired| !fired.is_empty())?;
    let severity = &fired[0].0["severity"];
    if severity != "warning" {
        return Err(format!("a bot on paper that is down is {severity}"));
    }
    let _bot = start_at(port, &[]);
    prometheus.wait_for(&down, Vec::is_empty).map(drop)
}

/// Waits until no alert fires or is about to, except those with a window of six hours in the short version.
fn all_have_ended(prometheus: &Prometheus, deadline: Instant) -> Outcome {
    loop {
        let mut active = prometheus.query("ALERTS{alertname!=\"Watchdog\"}")?;
        active.retain(|(labels, _)| is_long() || labels.get("window").is_none_or(|window| window != "slow"));
        if active.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("these alerts do not end: {active:?}").into());
        }
        thread::sleep(Duration::from_secs(1));
    }
}

/// The alerts that fired within this time, by instance.
fn fired(prometheus: &Prometheus, time: Duration) -> Result<BTreeMap<String, BTreeSet<String>>, Failed> {
    // No fault takes a bot down: a scrape that takes too long is the fault of a busy machine.
    let firing = "ALERTS{alertname!~\"Watchdog|BotDown\",alertstate=\"firing\"}";
    let all = prometheus.query(&format!("count_over_time({firing}[{}s])", time.as_secs()))?;
    let mut fired: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (labels, _) in &all {
        let instance = labels.get("instance").cloned().unwrap_or_default();
        fired.entry(instance).or_default().insert(name(labels));
    }
    Ok(fired)
}

/// The alert, and the label that tells which of several it is.
fn name(labels: &BTreeMap<String, String>) -> String {
    let name = labels.get("alertname").map_or("", String::as_str);
    let which = ["subsystem", "window", "source"].into_iter().find_map(|label| labels.get(label));
    which.map_or_else(|| name.to_owned(), |which| format!("{name} {which}"))
}
