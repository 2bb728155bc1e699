//! Whether market data is fresh.

use super::{Alert, Scenario, TRADING, Urgency};
use crate::catalogue::{MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS, SUBSYSTEM_PAUSED};
use crate::operations::context::RuleContext;
use crate::operations::scale::MINUTE;

const MONITOR: &str = "subsystem=\"monitor\"";

/// The age of market data in seconds above which it is stale, unless the trading loop is paced more slowly; not divided by
/// a time scale, because the exchange sets its pace.
const STALE: u64 = 60;

/// The age of market data above which it is stale, in seconds.
pub(in crate::operations) fn stale_after(context: &RuleContext<'_>) -> u64 {
    // In whole minutes, because promtool evaluates once a minute.
    context.max_age("trading").max(STALE).div_ceil(MINUTE) * MINUTE
}

/// Excludes a bot whose trading is paused, so that it needs no fresh data. Skipped cycles are no such sign: a bot that skips
/// its cycles because the data is old has no other alert.
fn unless_paused(context: &RuleContext<'_>) -> String {
    let paused = context.series_with(&SUBSYSTEM_PAUSED, "subsystem", "trading");
    paused.map_or_else(String::new, |paused| {
        format!("\nunless on (job, instance) {} == 1", paused.with(TRADING))
    })
}

pub(super) fn stale(context: &RuleContext<'_>) -> Option<Alert> {
    let updated = context.series(&MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS)?;
    let limit = stale_after(context);
    let quiet = unless_paused(context);
    let scenarios = StaleData { context, limit }.scenarios(!quiet.is_empty());
    Some(Alert::new(
        "BotMarketDataStale",
        Urgency::Warn,
        MINUTE / 2,
        // At the time of the scrape, because time passes until the next one.
        format!("timestamp({updated}) - {updated} > {limit}{quiet}"),
        scenarios,
    ))
}

/// Scenarios in which time is measured in units of the limit.
struct StaleData<'a> {
    context: &'a RuleContext<'a>,
    limit: u64,
}

/// The time between two scrapes in seconds. Half a limit is a multiple of it.
const STEP: u64 = 30;

const SYMBOL: &str = "exchange=\"paper\",symbol=\"BTCUSDT\"";

impl StaleData<'_> {
    fn units<const N: usize>(&self, units: [u64; N]) -> [u64; N] {
        units.map(|units| units * self.limit / MINUTE)
    }

    /// A timestamp every half minute, in phases that each begin at a time and with a timestamp, in halves of the limit, and
    /// whose timestamps grow or not. The last phase ends at `end`.
    fn timestamps(&self, phases: &[(u64, u64, bool)], end: u64) -> String {
        let half = self.limit / 2;
        let ends = phases.iter().skip(1).map(|(begin, ..)| *begin).chain([end]);
        let phase = |((begin, first, grows), end): (&(u64, u64, bool), u64)| {
            let (values, growth) = ((end - begin) * half / STEP, if *grows { STEP } else { 0 });
            format!("{}+{growth}x{}", first * half, values - 1)
        };
        phases.iter().zip(ends).map(phase).collect::<Vec<_>>().join(" ")
    }

    /// Timestamps that are so old whenever they are scraped, in halves of the limit.
    fn aged(&self, age: u64) -> String {
        let missing = age * self.limit / 2 / STEP;
        format!("_x{missing} {}", self.timestamps(&[(0, 0, true)], 40))
    }

    fn updated(&self, title: &str, timestamps: &str) -> Scenario {
        let bot = Scenario::new(self.context, title).every(STEP);
        bot.series("market_data_last_update_timestamp_seconds", SYMBOL, timestamps)
    }

    fn scenarios(&self, may_be_quiet: bool) -> Vec<Scenario> {
        let ending = self.timestamps(&[(0, 0, true), (4, 4, false), (13, 13, true)], 43);
        let late = self.timestamps(&[(0, 0, true), (4, 4, false), (7, 7, true)], 37);
        let mut scenarios = vec![
            self.updated("updates end and come back", &ending)
                .silent(self.units([2, 3]))
                .fires(self.units([5]), SYMBOL)
                .silent(self.units([8])),
            self.updated("each update is as old as allowed", &self.aged(2)).silent(self.units([10])),
            self.updated("each update is half as old again as allowed", &self.aged(3))
                .fires(self.units([10]), SYMBOL),
            self.updated("updates are late once", &late).silent(self.units([3, 4])),
            self.updated("each update is half a minute old, and scraped nearly a minute later", "-30+56x60")
                .every(56)
                .silent([9, 10, 11, 12]),
        ];
        if may_be_quiet {
            scenarios.extend(self.paused());
            scenarios.push(self.skipped());
        }
        scenarios
    }

    fn paused(&self) -> [Scenario; 3] {
        let old = self.timestamps(&[(0, 4, false)], 60);
        let paused = format!("1x{}", 60 * self.limit / 2 / STEP);
        let bot = |title: &str, labels: &str, instance: &str| {
            let bot = self.updated(title, &old).with("instance", instance);
            bot.series("subsystem_paused", labels, &paused).with("instance", "bot:5000")
        };
        [
            bot("trading is paused for the night", TRADING, "bot:5000").silent(self.units([10])),
            bot("another loop is paused", MONITOR, "bot:5000").fires(self.units([10]), SYMBOL),
            bot("another bot is paused", TRADING, "other:5000").fires(self.units([10]), SYMBOL),
        ]
    }

    fn skipped(&self) -> Scenario {
        let old = self.timestamps(&[(0, 4, false)], 90);
        let skipped = format!("0+1x{}", 90 * self.limit / 2 / STEP);
        self.updated("cycles are skipped since the data is old", &old)
            .series("subsystem_runs_total", &format!("{TRADING},outcome=\"skipped\""), &skipped)
            .series("subsystem_last_run_timestamp", TRADING, &old)
            .fires(self.units([10, 40]), SYMBOL)
    }
}
