//! The exchange, as the bot sees it.

use super::budget::{Budget, burn};
use super::events::{GrowingCounter, growth};
use super::subsystems::warning;
use super::{Alert, Rule, Scenario, Urgency};
use crate::catalogue::{EXCHANGE_API_LATENCY_SECONDS, EXCHANGE_API_REQUESTS_TOTAL, OPERATIONAL_EVENTS_TOTAL};
use crate::labels::Operation;
use crate::operations::context::{NOTICE, RuleContext};
use crate::operations::promql::{SeriesSelector, any_of, bound_in_text, bucket, equal};
use crate::operations::recording;
use crate::operations::scale::MINUTE;
use crate::outcome::Outcome;

/// The window in which an outcome is noticed.
const SEEN: u64 = 5 * MINUTE;

const REQUESTS: &str = "exchange_api_requests_total";
const LATENCY: &str = "exchange_api_latency_seconds";
const PAPER: &str = "exchange=\"paper\"";

pub(super) fn alerts(context: &RuleContext<'_>) -> Vec<Alert> {
    let alerts = [
        slow(context),
        latency_burn(context),
        error_burn(context),
        rate_limited(context),
        banned(context),
        credentials_refused(context),
        order_unknown(context),
    ];
    alerts.into_iter().flatten().collect()
}

/// Some slow calls are required, because p99 of ten calls is their maximum.
fn slow(context: &RuleContext<'_>) -> Option<Alert> {
    let latency = context.series(&EXCHANGE_API_LATENCY_SECONDS)?;
    let p99 = recording::exchange_p99(context, &latency);
    let (window, all, quick) =
        (context.window(10 * MINUTE), latency.part("_count"), latency.part("_bucket").with(bucket(1.5)));
    let slow = format!("increase({all}[{window}]) - sum without (le) (increase({quick}[{window}])) >= 3");
    let operation = format!("{PAPER},operation=\"get_ticker\"");
    let bot = |title: &str, quick: &str, all: &str| {
        let mut bot = Scenario::new(context, title).series(&format!("{LATENCY}_count"), &operation, all);
        for (bound, values) in [("1.5", quick), ("2.5", all), ("+Inf", all)] {
            bot = bot.series(&format!("{LATENCY}_bucket"), &format!("{operation},le=\"{bound}\""), values);
        }
        bot
    };
    let scenarios = [
        bot("a fifth of the calls is slow, then none", "0+10x9 90+8x30 341+10x40", "0+10x90")
            .silent([9])
            .fires([30], &operation)
            .silent([60]),
        bot("one call in two hundred is slow", "0+199x60", "0+200x60").silent([50]),
        bot("two of a few calls are slow", "0x60", "0x9 2x50").silent([18, 21, 22]),
        bot("two slow calls in each ten minutes", "0+2x60", "0+2.2x60").silent([50]),
        bot("four slow calls in each ten minutes", "0+2x60", "0+2.4x60").fires([50], &operation),
        bot("p99 is just above 2 s", "0+978x60", "0+1000x60").fires([50], &operation),
        bot("p99 is just below 2 s", "0+983x60", "0+1000x60").silent([50]),
    ];
    Some(Alert::new(
        "BotExchangeSlow",
        Urgency::Warn,
        10 * MINUTE,
        format!("{p99} > 2\nand {slow}"),
        [
            "{{ $labels.operation }} at {{ $labels.exchange }} is slow: p99 is above 2 s.",
            "Likely causes: an overloaded exchange, the network between, or a call that waits for a lock of the bot. \
             Compare with other operations of the exchange.",
        ],
        scenarios.map(warning),
    ))
}

fn latency_burn(context: &RuleContext<'_>) -> Option<Alert> {
    let family = context.linked.family(EXCHANGE_API_LATENCY_SECONDS.name)?;
    let objective = family.objective?;
    let threshold = objective.threshold.get();
    let latency = context.of_job(&family.name);
    let (all, within) = (latency.part("_count"), latency.part("_bucket").with(bucket(threshold)));
    let budget = Budget {
        ratio: Box::new(|window| context.of_job(recording::exchange_slow_ratio(&family.name, window))),
        bad: Box::new(move |window| {
            format!(
                "sum without (operation) (increase({all}[{window}]))\n    - sum without (operation, le) \
                 (increase({within}[{window}]))"
            )
        }),
        allowed: 1.0 - objective.ratio.get(),
        labels: Vec::new(),
    };
    let operation = format!("{PAPER},operation=\"get_ticker\"");
    let series = |bot: Scenario, all: &str, bad: &str| {
        let bot = bot.series(&format!("{LATENCY}_count"), &operation, all);
        let beyond = format!("{operation},le=\"+Inf\"");
        let bot = bot.series(&format!("{LATENCY}_bucket"), &beyond, all);
        // Cumulative counts: those within the objective are all but the bad ones.
        bot.series(
            &format!("{LATENCY}_bucket"),
            &format!("{operation},le=\"{}\"", bound_in_text(threshold)),
            bad,
        )
    };
    Some(burn_alert(
        "BotExchangeLatencyBudgetBurn",
        burn(context, &budget),
        [
            "{{ $labels.exchange }} answers too slowly: the latency objective is in danger ({{ $labels.window }} window).",
            "99 % of the calls should take at most 1 s. Likely causes: an overloaded exchange, a slow network, or calls \
             that wait inside the bot. BotExchangeSlow names the operation.",
        ],
        budget.scenarios(context, PAPER, |bot, all, good, _| series(bot, all, good)),
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
    let outcome = |outcome: &str| format!("{PAPER},operation=\"get_ticker\",outcome=\"{outcome}\"");
    let mut scenarios = budget.scenarios(context, PAPER, |bot, _, good, bad| {
        bot.series(REQUESTS, &outcome("ok"), good).series(REQUESTS, &outcome("timeout"), bad)
    });
    for failure in ["transport", "server_error"] {
        let bot = Scenario::new(context, format!("every call ends with {failure}"));
        let bot = bot.series(REQUESTS, &outcome(failure), "0+60x99").series(REQUESTS, &outcome("ok"), "0x99");
        scenarios.push(bot.fires([10], &format!("{PAPER},window=\"fast\"")));
    }
    let bot = Scenario::new(context, "rejects are no failures of the exchange");
    scenarios.push(bot.series(REQUESTS, &outcome("rejected"), "0+60x99").silent([90]));
    Some(burn_alert(
        "BotExchangeErrorBudgetBurn",
        burn(context, &budget),
        [
            "{{ $labels.exchange }} fails too often: the error objective is in danger ({{ $labels.window }} window).",
            "99.5 % of the calls should end without timeout, broken connection or error of the server. Likely causes: an \
             outage of the exchange, the network, or a timeout that is too short.",
        ],
        scenarios,
    ))
}

fn burn_alert(
    name: &'static str,
    rules: Vec<Rule>,
    [summary, description]: [&'static str; 2],
    scenarios: Vec<Scenario>,
) -> Alert {
    Alert { name, rules, summary, description, scenarios }
}

/// The growth of one outcome at an exchange.
fn seen(context: &RuleContext<'_>, requests: &SeriesSelector, outcome: &str) -> (String, Vec<Scenario>) {
    let grew = context.grew(requests, &[equal("outcome", outcome)], SEEN);
    let labels = |outcome: &str| format!("{PAPER},operation=\"get_ticker\",outcome=\"{outcome}\"");
    let mut scenarios = growth(context, SEEN, REQUESTS, &labels(outcome), PAPER);
    let bot = Scenario::new(context, "another outcome").of_prometheus("up", "1x99");
    scenarios.push(bot.series(REQUESTS, &labels("ok"), "0+9x99").silent([30]));
    (format!("sum without (operation, outcome) (\n{grew}\n)"), scenarios)
}

fn rate_limited(context: &RuleContext<'_>) -> Option<Alert> {
    let requests = context.series_with(&EXCHANGE_API_REQUESTS_TOTAL, "outcome", "rate_limited")?;
    let (expr, scenarios) = seen(context, &requests, "rate_limited");
    let scenarios: Vec<_> = scenarios.into_iter().map(warning).collect();
    Some(Alert::new(
        "BotRateLimited",
        Urgency::Warn,
        0,
        expr,
        [
            "{{ $labels.exchange }} refused calls because of its rate limit.",
            "A bot that goes on calling is banned. Likely causes: another program with the same key or address, a loop \
             without a pause, or a limit that the exchange reduced.",
        ],
        scenarios,
    ))
}

fn banned(context: &RuleContext<'_>) -> Option<Alert> {
    let requests = context.series_with(&EXCHANGE_API_REQUESTS_TOTAL, "outcome", "banned")?;
    let (expr, scenarios) = seen(context, &requests, "banned");
    Some(Alert::new(
        "BotBannedByExchange",
        Urgency::Page,
        0,
        expr,
        [
            "{{ $labels.exchange }} has banned the bot at {{ $labels.instance }}.",
            "It went on calling after the exchange had refused calls. Open orders can only be managed elsewhere until \
             the ban ends, and each call may prolong it: stop the bot.",
        ],
        scenarios,
    ))
}

/// Several, because a single signed call may arrive later than the exchange permits.
fn credentials_refused(context: &RuleContext<'_>) -> Option<Alert> {
    let requests = context.series_with(&EXCHANGE_API_REQUESTS_TOTAL, "outcome", "auth")?;
    let grew = context.grew(&requests, &[equal("outcome", "auth")], NOTICE);
    let calls = |outcome: &str| format!("{PAPER},operation=\"get_account\",outcome=\"{outcome}\"");
    let bot = |title: &str, outcome: &str, values: &str| {
        let bot = Scenario::new(context, title).of_prometheus("up", "1x99");
        bot.series(REQUESTS, &calls("ok"), "0+9x99").series(REQUESTS, &calls(outcome), values)
    };
    let scenarios = [
        bot("two calls are refused", "auth", "5x20 7x79").silent([21, 22, 30]),
        bot("two calls an hour are refused", "auth", "1+0.03125x99").silent([60]),
        bot("many calls are rejected", "rejected", "0+9x99").silent([22]),
        bot("two operations are refused", "auth", "0x20 2x79")
            .series(REQUESTS, &format!("{PAPER},operation=\"place_order\",outcome=\"auth\""), "0x20 1x79")
            .fires([22], PAPER),
    ];
    let refusals = GrowingCounter {
        window: NOTICE,
        family: REQUESTS,
        labels: &calls("auth"),
        growth: 3,
        hold: 0,
        expected: PAPER,
    };
    let scenarios: Vec<_> = refusals.scenarios(context).into_iter().chain(scenarios).collect();
    Some(Alert::new(
        "BotCredentialsRefused",
        Urgency::Page,
        0,
        // At least three: `increase` extrapolates.
        format!("sum without (operation, outcome) (\n{grew}\n) > 2.5"),
        [
            "{{ $labels.exchange }} refuses the credentials of {{ $labels.instance }}.",
            "Open orders cannot be cancelled. Likely causes: a clock that is wrong (Binance's code -1021), a key that \
             expired or was revoked, a key without the permission, or an address that the key does not list.",
        ],
        scenarios,
    ))
}

fn order_unknown(context: &RuleContext<'_>) -> Option<Alert> {
    let operations = context.operations_of(&EXCHANGE_API_REQUESTS_TOTAL, &Operation::PLACING);
    let (expr, scenarios) = if operations.is_empty() {
        let events = context.series_with(&OPERATIONAL_EVENTS_TOTAL, "type", "ORDER_UNKNOWN")?;
        let grew = context.grew(&events, &[equal("type", "ORDER_UNKNOWN")], SEEN);
        let labels = "severity=\"ERROR\",type=\"ORDER_UNKNOWN\",profile_id=\"\",symbol=\"\"";
        let scenarios = growth(context, SEEN, "operational_events_total", labels, "");
        (format!("sum without (severity, type, profile_id, symbol) (\n{grew}\n)"), scenarios)
    } else {
        let requests = context.series(&EXCHANGE_API_REQUESTS_TOTAL)?;
        let placings = [("operation", operations.clone()), ("outcome", Outcome::unknown_placements())]
            .map(|(label, values)| any_of(label, "=~", &values));
        let grew = context.grew(&requests, &placings, SEEN);
        (format!("sum without (operation, outcome) (\n{grew}\n)"), unknown_placements(context, operations[0]))
    };
    Some(Alert::new(
        "BotOrderStateUnknown",
        Urgency::Page,
        0,
        expr,
        [
            "{{ $labels.instance }} does not know whether an order is open.",
            "The answer to its placement was lost, so that the order may be open at the exchange. Likely causes: a \
             timeout, a broken connection, or an error of the exchange. Reconciliation should find it.",
        ],
        scenarios,
    ))
}

fn unknown_placements(context: &RuleContext<'_>, operation: &str) -> Vec<Scenario> {
    let labels =
        |operation: &str, outcome: &str| format!("{PAPER},operation=\"{operation}\",outcome=\"{outcome}\"");
    let mut scenarios = growth(context, SEEN, REQUESTS, &labels(operation, "timeout"), PAPER);
    let bot = |title: String| Scenario::new(context, title).of_prometheus("up", "1x99");
    for outcome in ["transport", "server_error", "decode", "cancelled", "panic"] {
        let bot = bot(format!("a placement ends with {outcome}")).series(
            REQUESTS,
            &labels(operation, outcome),
            "0x20 1x79",
        );
        scenarios.push(bot.fires([22], PAPER));
    }
    for outcome in ["ok", "rejected", "rate_limited"] {
        let bot = bot(format!("placements end with {outcome}")).series(
            REQUESTS,
            &labels(operation, outcome),
            "0+5x99",
        );
        scenarios.push(bot.silent([22]));
    }
    let other = bot("another operation times out".to_owned()).series(
        REQUESTS,
        &labels("get_ticker", "timeout"),
        "0+1x99",
    );
    scenarios.push(other.silent([22]));
    scenarios
}
