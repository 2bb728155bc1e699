//! Whether market data is fresh.

use super::subsystems::warning;
use super::{Alert, Scenario, TRADING, Urgency};
use crate::catalogue::{MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS, SUBSYSTEM_PAUSED};
use crate::operations::context::RuleContext;
use crate::operations::scale::MINUTE;

const MONITOR: &str = "subsystem=\"monitor\"";

/// The age of market data in seconds above which it is stale, unless the trading loop is paced more slowly; not divided by
/// a time scale, because the exchange sets its pace.
const STALE: u64 = 60;

/// Excludes a bot whose trading is paused, so that it needs no fresh data. Skipped cycles are no such sign: a bot that skips
/// its cycles because the data is old has no other alert.
fn unless_paused(context: &RuleContext<'_>) -> String {
    let paused = context.name_with(&SUBSYSTEM_PAUSED, "subsystem", "trading");
    paused
        .map_or_else(String::new, |paused| format!("\nunless on (job, instance) {paused}{{{TRADING}}} == 1"))
}

pub(super) fn stale(context: &RuleContext<'_>) -> Option<Alert> {
    let updated = context.name(&MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS)?;
    let max_age = context.longest_max_age(Some("trading"));
    // In whole minutes, because promtool evaluates once a minute.
    let limit = max_age.max(STALE).div_ceil(MINUTE) * MINUTE;
    let quiet = unless_paused(context);
    let scenarios = StaleData { context, limit }.scenarios(!quiet.is_empty());
    Some(Alert::new(
        "BotMarketDataStale",
        Urgency::Warn,
        MINUTE / 2,
        format!("time() - {updated} > {limit}{quiet}"),
        [
            "Market data of {{ $labels.symbol }} at {{ $labels.exchange }} is stale.",
            "It is older than a minute, and than the maximum age of the trading loop. Likely causes: a stream that is \
             connected but silent, a delisted or halted symbol, or a loop that no longer reads it. Orders are priced on \
             old data.",
        ],
        scenarios,
    ))
}

/// Scenarios in which time is measured in units of the limit.
struct StaleData<'a> {
    context: &'a RuleContext<'a>,
    limit: u64,
}

const SYMBOL: &str = "exchange=\"paper\",symbol=\"BTCUSDT\"";

impl StaleData<'_> {
    fn units<const N: usize>(&self, units: [u64; N]) -> [u64; N] {
        units.map(|units| units * self.limit / MINUTE)
    }

    /// Timestamps twice in a unit, from these in promtool's notation, whose numbers are half units.
    fn timestamps(&self, phases: &[(u64, u64, u32)]) -> String {
        let half = self.limit / 2;
        let phase =
            |(first, step, times): &(u64, u64, u32)| format!("{}+{}x{times}", first * half, step * half);
        phases.iter().map(phase).collect::<Vec<_>>().join(" ")
    }

    fn updated(&self, title: &str, timestamps: &str) -> Scenario {
        let bot = Scenario::new(self.context, title).every(self.limit / 2);
        bot.series("market_data_last_update_timestamp_seconds", SYMBOL, timestamps)
    }

    fn scenarios(&self, may_be_quiet: bool) -> Vec<Scenario> {
        let mut scenarios = vec![
            self.updated("updates end and come back", &self.timestamps(&[(0, 1, 4), (4, 0, 7), (13, 1, 30)]))
                .silent(self.units([2, 3]))
                .fires(self.units([5]), SYMBOL)
                .silent(self.units([8])),
            self.updated(
                "each update is as old as allowed",
                &format!("_ _ {}", self.timestamps(&[(0, 1, 40)])),
            )
            .silent(self.units([10])),
            self.updated("updates are late once", &self.timestamps(&[(0, 1, 4), (4, 0, 1), (7, 1, 30)]))
                .silent(self.units([3, 4])),
        ];
        if may_be_quiet {
            scenarios.extend(self.paused());
            scenarios.push(self.skipped());
        }
        scenarios.into_iter().map(warning).collect()
    }

    fn paused(&self) -> [Scenario; 3] {
        let bot = |title: &str, labels: &str, instance: &str| {
            let bot = self.updated(title, &self.timestamps(&[(4, 0, 60)])).with("instance", instance);
            bot.series("subsystem_paused", labels, "1x60").with("instance", "bot:5000")
        };
        [
            bot("trading is paused for the night", TRADING, "bot:5000").silent(self.units([10])),
            bot("another loop is paused", MONITOR, "bot:5000").fires(self.units([10]), SYMBOL),
            bot("another bot is paused", TRADING, "other:5000").fires(self.units([10]), SYMBOL),
        ]
    }

    fn skipped(&self) -> Scenario {
        let old = self.timestamps(&[(4, 0, 90)]);
        self.updated("cycles are skipped since the data is old", &old)
            .series("subsystem_runs_total", &format!("{TRADING},outcome=\"skipped\""), "0+1x90")
            .series("subsystem_last_run_timestamp", TRADING, &old)
            .fires(self.units([10, 40]), SYMBOL)
    }
}
