//! Whether the bot does what it is there for.

use super::{Alert, AlertList, Scenario, TICKER, TRADING, Urgency, market_data, with_label};
use crate::catalogue::{EXCHANGE_API_LATENCY_SECONDS, SUBSYSTEM_ALIVE, SUBSYSTEM_RUNS_TOTAL};
use crate::operations::context::RuleContext;
use crate::operations::recording;
use crate::operations::scale::{DAY, MINUTE};

pub(super) const ALERTS: &AlertList = &[heartbeat_without_work, strategy_idle, market_data::stale];

const LATENCY: &str = "exchange_api_latency_seconds_count";
const RUNS: &str = "subsystem_runs_total";

/// A count that grows once in four minutes.
const FOURTH: &str = "0x3 1x3 2x3 3x3 4x3 5x3 6x3 7x3 8x3 9x3";

/// The trading loop runs, and its cycles succeed. A loop whose cycles are skipped, for example while the market is
/// closed, is not expected to work.
fn trades(context: &RuleContext<'_>) -> Option<String> {
    let alive = context.series_with(&SUBSYSTEM_ALIVE, "subsystem", "trading")?.with(TRADING);
    let ok = context.series(&SUBSYSTEM_RUNS_TOTAL)?.with("outcome=\"ok\"");
    let window = context.cycles(5 * MINUTE, context.max_age("trading"));
    Some(format!("{alive} == 1\nand sum without (outcome) (increase({ok}[{window}])) > 0"))
}

/// A bot with these values of its trading loop: whether it is alive, and the number of its successful cycles.
fn trading(context: &RuleContext<'_>, title: &str, alive: &str, ok: &str) -> Scenario {
    let bot = Scenario::new(context, title).series("subsystem_alive", TRADING, alive);
    bot.series(RUNS, &with_label(TRADING, "outcome", "ok"), ok)
}

fn heartbeat_without_work(context: &RuleContext<'_>) -> Option<Alert> {
    let trades = trades(context)?;
    let calls = context.series(&EXCHANGE_API_LATENCY_SECONDS)?.part("_count");
    let max_age = context.max_age("trading");
    let window = context.cycles(5 * MINUTE, max_age);
    let minutes = max_age.div_ceil(MINUTE).max(5);
    let long = 150 + minutes;
    let expr =
        format!("{trades}\nand on (job, instance) sum by (job, instance) (increase({calls}[{window}])) == 0");
    let bot = |title: &str, alive: &str, ok: &str, [placed, asked]: [&str; 2]| {
        let bot = trading(context, title, alive, ok);
        bot.series(LATENCY, "exchange=\"paper\",operation=\"place_order\"", placed)
            .series(LATENCY, TICKER, asked)
    };
    let other = |bot: Scenario| {
        let bot = bot.with("instance", "other:5000").series(LATENCY, TICKER, "0+9x99");
        bot.with("instance", "bot:5000")
    };
    let last_call = format!("0+1x9 9x{} 10+1x50", minutes + 26);
    let scenarios = [
        other(bot(
            "cycles succeed without a call, then calls return",
            &format!("1x{long}"),
            &format!("0+9x{long}"),
            [&last_call, "7x150"],
        ))
        .silent([9, 23 + minutes])
        .fires([25 + minutes, 34 + minutes], TRADING)
        .silent([38 + minutes]),
        bot("one cycle in four minutes, and no call", "1x99", FOURTH, ["7x99", "7x99"]).fires([30], TRADING),
        bot(
            "calls end, and cycles ten minutes later",
            &format!("1x{long}"),
            &format!("0+9x20 180x{long}"),
            [&format!("0+1x9 9x{long}"), "7x150"],
        )
        .silent([24 + minutes, 40 + minutes]),
        bot("only one operation is used", "1x99", "0+9x99", ["7x99", "0+1x99"]).silent([40]),
        bot("one call in four minutes", "1x99", "0+9x99", [FOURTH, "0x99"]).silent([30]),
        bot("all cycles are skipped", "1x99", "5x99", ["0x99", "0x99"])
            .series(RUNS, &with_label(TRADING, "outcome", "skipped"), "0+9x99")
            .silent([40]),
        bot("another loop does not call the exchange", "0x99", "0x99", ["0x99", "0x99"])
            .series("subsystem_alive", "subsystem=\"monitor\"", "1x99")
            .series(RUNS, "subsystem=\"monitor\",outcome=\"ok\"", "0+9x99")
            .silent([40]),
        bot("the loop has stalled", "0x99", "0+9x99", ["0x99", "0x99"]).silent([40]),
    ];
    Some(Alert::new("BotHeartbeatWithoutWork", Urgency::Page, 15 * MINUTE, expr, scenarios))
}

/// A strategy that makes few calls is not expected to make one in half an hour: only one that made [`BUSY`] calls in
/// nearly each half hour of the last day is.
const BUSY: u64 = 5;

/// The number of half hours without which a new bot has no usual rate.
const ENOUGH: u64 = 4;

/// The loop goes on to fetch data, so that only calls about orders count.
fn strategy_idle(context: &RuleContext<'_>) -> Option<Alert> {
    let trades = trades(context)?;
    let orders = recording::order_calls(context)?;
    let (recorded, length) = (context.of_job(&orders.recording.name), orders.window);
    let (window, day) = (context.window(length), context.window(DAY));
    let usual = format!("{recorded}[{day}:{window}] offset {window}");
    let expr = format!(
        "{trades}\n\
         and on (job, instance) {recorded} == 0\n\
         and on (job, instance) quantile_over_time(0.25, {usual}) >= {BUSY}\n\
         and on (job, instance) count_over_time({usual}) >= {ENOUGH}"
    );
    let strategy = Strategy { context, operation: orders.operations[0] };
    let mut scenarios = strategy.scenarios();
    scenarios =
        scenarios.into_iter().map(|scenario| scenario.stretched(recording::HALF_HOUR, length)).collect();
    // The day is not stretched.
    scenarios.extend((length == recording::HALF_HOUR).then(|| strategy.busy_for_thirty_hours()));
    Some(Alert::new("BotStrategyIdle", Urgency::Warn, length / 6, expr, scenarios))
}

/// A strategy, and an operation that places its orders.
struct Strategy<'a> {
    context: &'a RuleContext<'a>,
    operation: &'a str,
}

impl Strategy<'_> {
    fn order(&self) -> String {
        format!("exchange=\"paper\",operation=\"{}\"", self.operation)
    }

    /// A bot that goes on to fetch data, with the numbers of successful cycles and of orders.
    fn bot(&self, title: &str, alive: &str, ok: &str, orders: &str) -> Scenario {
        let bot = trading(self.context, title, alive, ok);
        bot.series(LATENCY, TICKER, "0+9x450").series(LATENCY, &self.order(), orders)
    }

    fn busy_for_thirty_hours(&self) -> Scenario {
        let bot = self.bot("busy for thirty hours, then idle", "1x450", "0+45x450", "0+5x360 1800x90");
        bot.every(300).fires([34 * 60], TRADING).silent([37 * 60]).long()
    }

    fn scenarios(&self) -> Vec<Scenario> {
        let (alive, ok) = ("1x400", "0+9x400");
        // The minutes in which a successful cycle is noticed, as they are before the scenarios are stretched.
        let max_age = self.context.max_age("trading");
        let cycles =
            max_age.max(5 * MINUTE) * recording::HALF_HOUR / max_age.max(recording::HALF_HOUR) / MINUTE;
        let bot = |title: &str, orders: &str| self.bot(title, alive, ok, orders);
        let maker = bot("a market maker falls idle for 90 minutes", "0+1x130 130x90 131+1x100");
        let other_loop = "subsystem=\"monitor\"";
        let maker = maker.series("subsystem_alive", other_loop, alive);
        let maker = maker.series(RUNS, &with_label(other_loop, "outcome", "ok"), ok);
        let beside = maker.with("instance", "other:5000").series(LATENCY, &self.order(), "0+1x400");
        vec![
            beside
                .with("instance", "bot:5000")
                .silent([100, 160])
                .fires([165, 220], TRADING)
                .silent([225, 300]),
            bot("a strategy that is idle for a third of its time", "0+2x200 400x200")
                .fires([240, 355], TRADING)
                .silent([365, 380]),
            bot("a few calls in an hour", "0+0.125x200 25x100").silent([150, 235, 260]),
            bot("just enough calls in each half hour", "0+0.25x200 50x100").fires([240], TRADING),
            bot("a grid that is placed at the start and rests", "0x2 40x400").silent([35, 60, 170]),
            bot("a bot that is new", "0+1x105 105x200").silent([115, 145]),
            self.bot(
                "an idle strategy begins to skip its cycles",
                alive,
                "0+9x199 1791x200",
                "0+1x130 130x200",
            )
            .series(RUNS, &with_label(TRADING, "outcome", "skipped"), "0x199 0+9x200")
            .fires([195], TRADING)
            .silent([200 + cycles, 215 + cycles]),
            self.bot("the loop has stalled", "0x400", ok, "0+1x150 150x90").silent([190]),
            self.bot(
                "the market is closed, so that cycles are skipped",
                alive,
                "0+9x150 1350x90",
                "0+1x150 150x90",
            )
            .silent([190, 220]),
        ]
    }
}
