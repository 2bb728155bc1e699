//! Whether the bot does what it is there for.

use super::subsystems::warning;
use super::{Alert, Scenario, Urgency};
use crate::catalogue::{
    EXCHANGE_API_LATENCY_SECONDS, MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS, SUBSYSTEM_ALIVE,
    SUBSYSTEM_PAUSED, SUBSYSTEM_RUNS_TOTAL,
};
use crate::operations::context::RuleContext;
use crate::operations::scale::MINUTE;

const TRADING: &str = "subsystem=\"trading\"";

/// The age of market data in seconds above which it is stale; not divided by a time scale, because the exchange sets its
/// pace.
const STALE: u64 = 60;

pub(super) fn alerts(context: &RuleContext<'_>) -> Vec<Alert> {
    [heartbeat_without_work(context), market_data_stale(context)].into_iter().flatten().collect()
}

/// A loop whose cycles are skipped, for example while the market is closed, is not expected to work.
fn heartbeat_without_work(context: &RuleContext<'_>) -> Option<Alert> {
    let alive = context.name_with(&SUBSYSTEM_ALIVE, "subsystem", "trading")?;
    let runs = context.name(&SUBSYSTEM_RUNS_TOTAL)?;
    let calls = context.name(&EXCHANGE_API_LATENCY_SECONDS)?;
    let window = context.cycles(5 * MINUTE, context.longest_max_age(Some("trading")));
    let expr = format!(
        "{alive}{{{TRADING}}} == 1\n\
         and sum without (outcome) (increase({runs}{{outcome=\"ok\"}}[{window}])) > 0\n\
         and on (job, instance) sum by (job, instance) (increase({calls}_count[{window}])) == 0"
    );
    let bot = |title: &str, alive: &str, ok: &str, calls: [&str; 2]| {
        let bot = Scenario::new(context, title).series("subsystem_alive", TRADING, alive);
        let bot = bot.series("subsystem_runs_total", "subsystem=\"trading\",outcome=\"ok\"", ok);
        let latency = "exchange_api_latency_seconds_count";
        bot.series(latency, "exchange=\"paper\",operation=\"place_order\"", calls[0]).series(
            latency,
            "exchange=\"paper\",operation=\"get_ticker\"",
            calls[1],
        )
    };
    let other = |bot: Scenario| {
        let bot = bot.with("instance", "other:5000");
        let bot = bot.series(
            "exchange_api_latency_seconds_count",
            "exchange=\"paper\",operation=\"get_ticker\"",
            "0+9x99",
        );
        bot.with("instance", "bot:5000")
    };
    let scenarios = [
        other(bot(
            "cycles succeed without a call, then calls return",
            "1x99",
            "0+9x99",
            ["0+1x9 9x31 10+1x40", "7x99"],
        ))
        .silent([9, 25])
        .fires([35, 40], TRADING)
        .silent([50]),
        bot("only one operation is used", "1x99", "0+9x99", ["7x99", "0+1x99"]).silent([40]),
        bot(
            "one call in four minutes",
            "1x99",
            "0+9x99",
            ["0x3 1x3 2x3 3x3 4x3 5x3 6x3 7x3 8x3 9x3", "0x99"],
        )
        .silent([30]),
        bot("all cycles are skipped", "1x99", "5x99", ["0x99", "0x99"])
            .series("subsystem_runs_total", "subsystem=\"trading\",outcome=\"skipped\"", "0+9x99")
            .silent([40]),
        bot("another loop does not call the exchange", "0x99", "0x99", ["0x99", "0x99"])
            .series("subsystem_alive", "subsystem=\"monitor\"", "1x99")
            .series("subsystem_runs_total", "subsystem=\"monitor\",outcome=\"ok\"", "0+9x99")
            .silent([40]),
        bot("the loop has stalled", "0x99", "0+9x99", ["0x99", "0x99"]).silent([40]),
    ];
    Some(Alert::new(
        "BotHeartbeatWithoutWork",
        Urgency::Page,
        15 * MINUTE,
        expr,
        [
            "{{ $labels.instance }} runs its trading loop, but has not called the exchange for 15 minutes.",
            "Cycles succeed and do nothing. Likely causes: the strategy sees no symbols or no balance, a risk rule or \
             circuit breaker blocks every order, or market data does not change.",
        ],
        scenarios,
    ))
}

fn market_data_stale(context: &RuleContext<'_>) -> Option<Alert> {
    let updated = context.name(&MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS)?;
    let paused = context.name_with(&SUBSYSTEM_PAUSED, "subsystem", "trading");
    let quiet =
        paused.as_ref().map(|paused| format!("\nunless on (job, instance) {paused}{{{TRADING}}} == 1"));
    let symbol = "exchange=\"paper\",symbol=\"BTCUSDT\"";
    let bot = |title: &str, values: &str| {
        let bot = Scenario::new(context, title).every(30);
        bot.series("market_data_last_update_timestamp_seconds", symbol, values)
    };
    let mut scenarios = vec![
        bot("updates end and come back", "0+30x4 120x8 390+30x30")
            .silent([2, 3])
            .fires([5], symbol)
            .silent([8]),
        bot("each update is 60 s old", "_ _ 0+30x40").silent([10]),
        bot("updates are late once", "0+30x4 120x2 210+30x30").silent([3, 4]),
    ];
    if paused.is_some() {
        let paused = |title: &str, label: &str, instance: &str| {
            let bot =
                bot(title, "120x60").with("instance", instance).series("subsystem_paused", label, "1x60");
            bot.with("instance", "bot:5000")
        };
        scenarios.push(paused("trading is paused for the night", TRADING, "bot:5000").silent([10]));
        scenarios
            .push(paused("another loop is paused", "subsystem=\"monitor\"", "bot:5000").fires([10], symbol));
        scenarios.push(paused("another bot is paused", TRADING, "other:5000").fires([10], symbol));
    }
    let scenarios: Vec<_> = scenarios.into_iter().map(warning).collect();
    Some(Alert::new(
        "BotMarketDataStale",
        Urgency::Warn,
        MINUTE / 2,
        format!("time() - {updated} > {STALE}{}", quiet.unwrap_or_default()),
        [
            "Market data of {{ $labels.symbol }} at {{ $labels.exchange }} is older than 60 s.",
            "Likely causes: a stream that is connected but silent, a delisted or halted symbol, or a loop that no longer \
             reads it. Orders are priced on old data.",
        ],
        scenarios,
    ))
}
