//! Whether the bot does what it is there for.

use super::subsystems::warning;
use super::{Alert, Scenario, TRADING, Urgency, market_data};
use crate::catalogue::{EXCHANGE_API_LATENCY_SECONDS, SUBSYSTEM_ALIVE, SUBSYSTEM_RUNS_TOTAL};
use crate::labels::Operation;
use crate::operations::context::RuleContext;
use crate::operations::promql::any_of;
use crate::operations::scale::{DAY, MINUTE};

pub(super) fn alerts(context: &RuleContext<'_>) -> Vec<Alert> {
    let alerts = [heartbeat_without_work(context), strategy_idle(context), market_data::stale(context)];
    alerts.into_iter().flatten().collect()
}

/// A count that grows once in four minutes.
const FOURTH: &str = "0x3 1x3 2x3 3x3 4x3 5x3 6x3 7x3 8x3 9x3";

/// A loop whose cycles are skipped, for example while the market is closed, is not expected to work.
fn heartbeat_without_work(context: &RuleContext<'_>) -> Option<Alert> {
    let alive = context.name_with(&SUBSYSTEM_ALIVE, "subsystem", "trading")?;
    let runs = context.name(&SUBSYSTEM_RUNS_TOTAL)?;
    let calls = context.name(&EXCHANGE_API_LATENCY_SECONDS)?;
    let max_age = context.longest_max_age(Some("trading"));
    let window = context.cycles(5 * MINUTE, max_age);
    let minutes = max_age.div_ceil(MINUTE).max(5);
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
    let last_call = format!("0+1x9 9x{} 10+1x50", minutes + 26);
    let scenarios = [
        other(bot(
            "cycles succeed without a call, then calls return",
            "1x150",
            "0+9x150",
            [&last_call, "7x150"],
        ))
        .silent([9, 23 + minutes])
        .fires([25 + minutes, 34 + minutes], TRADING)
        .silent([38 + minutes]),
        bot("one cycle in four minutes, and no call", "1x99", FOURTH, ["7x99", "7x99"]).fires([30], TRADING),
        bot("calls end, and cycles ten minutes later", "1x150", "0+9x20 180x130", ["0+1x9 9x140", "7x150"])
            .silent([24 + minutes, 40 + minutes]),
        bot("only one operation is used", "1x99", "0+9x99", ["7x99", "0+1x99"]).silent([40]),
        bot("one call in four minutes", "1x99", "0+9x99", [FOURTH, "0x99"]).silent([30]),
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

/// The operations of a strategy that works, beside those that place an order.
const CANCELLING: [Operation; 2] = [Operation::CancelOrder, Operation::CancelAllOrders];

/// A strategy that makes few calls is not expected to make one in half an hour: only one that made [`BUSY`] calls in
/// nearly each half hour of the last day is.
const BUSY: u64 = 5;

/// The number of half hours without which a new bot has no usual rate.
const ENOUGH: u64 = 4;

/// The loop goes on to fetch data, so that only calls about orders count.
fn strategy_idle(context: &RuleContext<'_>) -> Option<Alert> {
    let alive = context.name_with(&SUBSYSTEM_ALIVE, "subsystem", "trading")?;
    let runs = context.name(&SUBSYSTEM_RUNS_TOTAL)?;
    let calls = context.name(&EXCHANGE_API_LATENCY_SECONDS)?;
    let mut operations = context.operations_of(&EXCHANGE_API_LATENCY_SECONDS, &Operation::PLACING);
    if operations.is_empty() {
        return None;
    }
    operations.extend(context.operations_of(&EXCHANGE_API_LATENCY_SECONDS, &CANCELLING));
    let [half_hour, day] = [30 * MINUTE, DAY].map(|length| context.window(length));
    let orders = format!(
        "sum by (job, instance) (increase({calls}_count{{{}}}[{half_hour}]))",
        any_of("operation", "=~", &operations)
    );
    let window = context.cycles(5 * MINUTE, context.longest_max_age(Some("trading")));
    let expr = format!(
        "{alive}{{{TRADING}}} == 1\n\
         and sum without (outcome) (increase({runs}{{outcome=\"ok\"}}[{window}])) > 0\n\
         and on (job, instance) {orders} == 0\n\
         and on (job, instance) quantile_over_time(0.25, {orders}[{day}:{half_hour}] offset {half_hour}) >= {BUSY}\n\
         and on (job, instance) count_over_time({orders}[{day}:{half_hour}] offset {half_hour}) >= {ENOUGH}"
    );
    Some(Alert::new(
        "BotStrategyIdle",
        Urgency::Warn,
        5 * MINUTE,
        expr,
        [
            "{{ $labels.instance }} runs its trading loop, but has not touched an order for half an hour.",
            "It usually places or cancels several in that time, and still fetches data. Likely causes: a strategy that \
             finds no opportunity any more, a risk rule or circuit breaker, or a configuration that was changed.",
        ],
        idle_strategies(context, operations[0]).map(warning),
    ))
}

fn idle_strategies(context: &RuleContext<'_>, operation: &str) -> [Scenario; 8] {
    let order = format!("exchange=\"paper\",operation=\"{operation}\"");
    let ticker = "exchange=\"paper\",operation=\"get_ticker\"";
    let latency = "exchange_api_latency_seconds_count";
    let bot = |title: &str, alive: &str, ok: &str, orders: &str| {
        let bot = Scenario::new(context, title).series("subsystem_alive", TRADING, alive);
        let bot = bot.series("subsystem_runs_total", "subsystem=\"trading\",outcome=\"ok\"", ok);
        bot.series(latency, ticker, "0+9x400").series(latency, &order, orders)
    };
    let (alive, ok) = ("1x400", "0+9x400");
    let other = |bot: Scenario| {
        let bot = bot.with("instance", "other:5000").series(latency, &order, "0+1x400");
        bot.with("instance", "bot:5000")
    };
    [
        other(bot("a market maker falls idle for 90 minutes", alive, ok, "0+1x150 150x90 151+1x100"))
            .silent([100, 183])
            .fires([186, 239], TRADING)
            .silent([243, 300]),
        bot("a strategy that is idle for a third of its time", alive, ok, "0+1x200 200x200")
            .fires([240, 320], TRADING)
            .silent([380]),
        bot("a few calls in an hour", alive, ok, "0+0.125x200 25x100").silent([150, 236, 260]),
        bot("just enough calls in each half hour", alive, ok, "0+0.25x200 50x100").fires([240], TRADING),
        bot("a grid that is placed at the start and rests", alive, ok, "0x2 40x400").silent([35, 60, 170]),
        bot("a bot that is new", alive, ok, "0+1x80 80x200").silent([116, 130]),
        bot("the loop has stalled", "0x400", ok, "0+1x150 150x90").silent([190]),
        bot("the market is closed, so that cycles are skipped", alive, "0+9x150 1350x90", "0+1x150 150x90")
            .silent([190, 220]),
    ]
}
