//! The exchange, as the bot sees it.

use super::budget::{Budget, BurnScenarios, slow_series};
use super::events::GrowingCounter;
use super::{Alert, AlertList, Scenario, TICKER, Urgency};
use crate::catalogue::{EXCHANGE_API_LATENCY_SECONDS, EXCHANGE_API_REQUESTS_TOTAL, OPERATIONAL_EVENTS_TOTAL};
use crate::labels::Operation;
use crate::operations::context::{NOTICE, RuleContext};
use crate::operations::promql::{any_of, bucket, equal};
use crate::operations::recording::{self, SlowRatio};
use crate::operations::scale::MINUTE;
use crate::outcome::Outcome;

/// The window in which an outcome is noticed.
const SEEN: u64 = 5 * MINUTE;

const REQUESTS: &str = "exchange_api_requests_total";
const LATENCY: &str = "exchange_api_latency_seconds";
const PAPER: &str = "exchange=\"paper\"";

pub(super) const ALERTS: &AlertList =
    &[slow, latency_burn, error_burn, rate_limited, banned, credentials_refused, order_unknown];

/// The labels of the calls of an operation that end with this outcome.
fn calls(operation: &str, outcome: &str) -> String {
    format!("{PAPER},operation=\"{operation}\",outcome=\"{outcome}\"")
}

/// Some slow calls are required, because p99 of ten calls is their maximum.
fn slow(context: &RuleContext<'_>) -> Option<Alert> {
    let latency = context.series(&EXCHANGE_API_LATENCY_SECONDS)?;
    let p99 = recording::exchange_p99(context, &latency);
    let (window, all, quick) =
        (context.window(10 * MINUTE), latency.part("_count"), latency.part("_bucket").with(bucket(1.5)));
    let slow = format!("increase({all}[{window}]) - sum without (le) (increase({quick}[{window}])) >= 3");
    let bot = |title: &str, quick: &str, all: &str| {
        let bot = Scenario::new(context, title).series(&format!("{LATENCY}_count"), TICKER, all);
        bot.buckets(LATENCY, TICKER, &[("1.5", quick), ("2.5", all), ("+Inf", all)])
    };
    let scenarios = [
        bot("a fifth of the calls is slow, then none", "0+10x9 90+8x30 341+10x40", "0+10x90")
            .silent([9])
            .fires([30], TICKER)
            .silent([60]),
        bot("one call in two hundred is slow", "0+199x60", "0+200x60").silent([50]),
        bot("two of a few calls are slow", "0x60", "0x9 2x50").silent([18, 21, 22]),
        bot("two slow calls in each ten minutes", "0+2x60", "0+2.2x60").silent([50]),
        bot("four slow calls in each ten minutes", "0+2x60", "0+2.4x60").fires([50], TICKER),
        bot("p99 is just above 2 s", "0+978x60", "0+1000x60").fires([50], TICKER),
        bot("p99 is just below 2 s", "0+983x60", "0+1000x60").silent([50]),
    ];
    Some(Alert::new(
        "BotExchangeSlow",
        Urgency::Warn,
        10 * MINUTE,
        format!("{p99} > 2\nand {slow}"),
        scenarios,
    ))
}

fn latency_burn(context: &RuleContext<'_>) -> Option<Alert> {
    let slow = SlowRatio::of_exchange(context)?;
    let budget = Budget::of_slow(context, &slow);
    let series = slow_series(LATENCY, TICKER, slow.objective.threshold.get());
    Some(Alert::of_rules(
        "BotExchangeLatencyBudgetBurn",
        budget.rules(context),
        BurnScenarios { context, budget: &budget, labels: PAPER, series }.all(),
    ))
}

fn error_burn(context: &RuleContext<'_>) -> Option<Alert> {
    let requests = context.series(&EXCHANGE_API_REQUESTS_TOTAL)?;
    let failed = requests.with(recording::failures());
    let budget = Budget {
        ratio: Box::new(|window| context.of_job(recording::exchange_error_ratio(requests.name(), window))),
        bad: Box::new(move |window| {
            format!("sum without (operation, outcome) (increase({failed}[{window}]))")
        }),
        allowed: recording::ALLOWED_FAILURES,
        labels: Vec::new(),
    };
    let ends = |outcome: &str| calls("get_ticker", outcome);
    let series = |bot: Scenario, [_, good, bad]: [&str; 3]| {
        bot.series(REQUESTS, &ends("ok"), good).series(REQUESTS, &ends("timeout"), bad)
    };
    let mut scenarios = BurnScenarios { context, budget: &budget, labels: PAPER, series }.all();
    for failure in ["transport", "server_error"] {
        let bot = Scenario::new(context, format!("every call ends with {failure}"));
        let bot = bot.series(REQUESTS, &ends(failure), "0+60x99").series(REQUESTS, &ends("ok"), "0x99");
        scenarios.push(bot.fires([10], &format!("{PAPER},window=\"fast\"")));
    }
    let bot = Scenario::new(context, "rejects are no failures of the exchange");
    scenarios.push(bot.series(REQUESTS, &ends("rejected"), "0+60x99").silent([90]));
    Some(Alert::of_rules("BotExchangeErrorBudgetBurn", budget.rules(context), scenarios))
}

/// An alert on the first growth of an outcome at an exchange.
fn seen(context: &RuleContext<'_>, outcome: &str, name: &'static str, urgency: Urgency) -> Option<Alert> {
    let requests = context.series_with(&EXCHANGE_API_REQUESTS_TOTAL, "outcome", outcome)?;
    let grew = context.grew(&requests, &[equal("outcome", outcome)], SEEN);
    let labels = calls("get_ticker", outcome);
    let counter = GrowingCounter::of(SEEN, REQUESTS, &labels, PAPER);
    let other = Scenario::new(context, "another outcome").of_prometheus("up", "1x99");
    let other = other.series(REQUESTS, &calls("get_ticker", "ok"), "0+9x99").silent([30]);
    let expr = format!("sum without (operation, outcome) (\n{grew}\n)");
    Some(Alert::new(name, urgency, 0, expr, counter.scenarios(context).into_iter().chain([other])))
}

fn rate_limited(context: &RuleContext<'_>) -> Option<Alert> {
    seen(context, "rate_limited", "BotRateLimited", Urgency::Warn)
}

fn banned(context: &RuleContext<'_>) -> Option<Alert> {
    seen(context, "banned", "BotBannedByExchange", Urgency::Page)
}

/// Several, because a single signed call may arrive later than the exchange permits.
fn credentials_refused(context: &RuleContext<'_>) -> Option<Alert> {
    let requests = context.series_with(&EXCHANGE_API_REQUESTS_TOTAL, "outcome", "auth")?;
    let grew = context.grew(&requests, &[equal("outcome", "auth")], NOTICE);
    let ends = |outcome: &str| calls("get_account", outcome);
    let bot = |title: &str, outcome: &str, values: &str| {
        let bot = Scenario::new(context, title).of_prometheus("up", "1x99");
        bot.series(REQUESTS, &ends("ok"), "0+9x99").series(REQUESTS, &ends(outcome), values)
    };
    let scenarios = [
        bot("two calls are refused", "auth", "5x20 7x79").silent([21, 22, 30]),
        bot("two calls an hour are refused", "auth", "1+0.03125x99").silent([60]),
        bot("many calls are rejected", "rejected", "0+9x99").silent([22]),
        bot("two operations are refused", "auth", "0x20 2x79")
            .series(REQUESTS, &calls("place_order", "auth"), "0x20 1x79")
            .fires([22], PAPER),
    ];
    let auth = ends("auth");
    let refusals = GrowingCounter { growth: 3, ..GrowingCounter::of(NOTICE, REQUESTS, &auth, PAPER) };
    Some(Alert::new(
        "BotCredentialsRefused",
        Urgency::Page,
        0,
        // At least three: `increase` extrapolates.
        format!("sum without (operation, outcome) (\n{grew}\n) > 2.5"),
        refusals.scenarios(context).into_iter().chain(scenarios),
    ))
}

fn order_unknown(context: &RuleContext<'_>) -> Option<Alert> {
    let operations = context.operations_of(&EXCHANGE_API_REQUESTS_TOTAL, Operation::PLACING);
    let (expr, scenarios) = if operations.is_empty() {
        let events = context.series_with(&OPERATIONAL_EVENTS_TOTAL, "type", "ORDER_UNKNOWN")?;
        let grew = context.grew(&events, &[equal("type", "ORDER_UNKNOWN")], SEEN);
        let labels = "severity=\"ERROR\",type=\"ORDER_UNKNOWN\",profile_id=\"\",symbol=\"\"";
        let counter = GrowingCounter::of(SEEN, "operational_events_total", labels, "");
        (format!("sum without (severity, type, profile_id, symbol) (\n{grew}\n)"), counter.scenarios(context))
    } else {
        let requests = context.series(&EXCHANGE_API_REQUESTS_TOTAL)?;
        let placings = [("operation", operations.clone()), ("outcome", Outcome::unknown_placements())]
            .map(|(label, values)| any_of(label, "=~", &values));
        let grew = context.grew(&requests, &placings, SEEN);
        (format!("sum without (operation, outcome) (\n{grew}\n)"), unknown_placements(context, operations[0]))
    };
    Some(Alert::new("BotOrderStateUnknown", Urgency::Page, 0, expr, scenarios))
}

fn unknown_placements(context: &RuleContext<'_>, placing: &str) -> Vec<Scenario> {
    let bot = |title: &str, operation: &str, outcome: &str, values: &str| {
        let bot = Scenario::new(context, title).of_prometheus("up", "1x99");
        bot.series(REQUESTS, &calls(operation, outcome), values)
    };
    let mut scenarios =
        GrowingCounter::of(SEEN, REQUESTS, &calls(placing, "timeout"), PAPER).scenarios(context);
    for outcome in ["transport", "server_error", "decode", "cancelled", "panic"] {
        let title = format!("a placement ends with {outcome}");
        scenarios.push(bot(&title, placing, outcome, "0x20 1x79").fires([22], PAPER));
    }
    for outcome in ["ok", "rejected", "rate_limited"] {
        let title = format!("placements end with {outcome}");
        scenarios.push(bot(&title, placing, outcome, "0+5x99").silent([22]));
    }
    scenarios.push(bot("another operation times out", "get_ticker", "timeout", "0+1x99").silent([22]));
    scenarios
}
