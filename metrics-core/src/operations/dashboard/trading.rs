//! The rows about trading: the exchange, the capital, the market data and the bot's own families.

use super::health::{buckets, increase, quantile};
use super::panel::PanelView::{Areas, Bars, Heatmap, Lines, Values};
use super::panel::{BAD, GOOD, NEUTRAL, Panel, WARNING};
use super::units::unit;
use crate::catalogue::{EXCHANGE_API_LATENCY_SECONDS, Kind, Origin};
use crate::linked::{LinkedCatalogue, LinkedFamily};
use crate::operations::alerts::{FULL, NEAR_LIMIT, stale_after};
use crate::operations::context::RuleContext;
use crate::operations::promql::bucket;
use crate::operations::recording::{ALLOWED_FAILURES, failures};

const NO_CALL: &str = "no call ended within the window";

const NO_PROFILE: &str = "no profile is known yet";

pub(super) fn exchange(linked: &LinkedCatalogue) -> Vec<Panel> {
    let latency = linked.family(EXCHANGE_API_LATENCY_SECONDS.name);
    let latency_quantile = |part| quantile(part, "exchange, operation", "exchange_api_latency_seconds");
    vec![
        Panel::new(Lines, "Latency", "s")
            .shows(
                "The median of the calls' durations, and the duration that 99 % do not exceed; the line is the \
                 objective.",
            )
            .no_data(NO_CALL)
            .query(latency_quantile(0.5), "{{exchange}} {{operation}} p50")
            .query(latency_quantile(0.99), "{{exchange}} {{operation}} p99")
            .limits(NEUTRAL, &objective_line(latency))
            .width(16)
            .alert("BotExchangeSlow"),
        Panel::new(Heatmap, "Calls by latency", "s")
            .shows("How many calls took how long.")
            .no_data(NO_CALL)
            .query(buckets("exchange_api_latency_seconds"), "{{le}}"),
        Panel::new(Areas, "Calls by outcome", "reqpm")
            .shows("Calls per minute by their outcome; outcomes that have never occurred are left out.")
            .no_data(NO_CALL)
            .query(
                "60 * sum by (outcome) (rate(@exchange_api_requests_total[$__rate_interval]))\n\
                 and sum by (outcome) (@exchange_api_requests_total) > 0",
                "{{outcome}}",
            ),
        share(),
        budget(latency),
        Panel::new(Bars, "Rate limited and banned", "short")
            .shows("Calls that the exchange refused because of too many requests: HTTP 429 and 418.")
            .query(
                increase("exchange, outcome", r#"exchange_api_requests_total{outcome=~"rate_limited|banned"}"#),
                "{{exchange}} {{outcome}}",
            )
            .width(12)
            .alert("BotRateLimited"),
        Panel::new(Lines, "Use of the rate limits", "percentunit")
            .shows("The used part of each rate limit.")
            .no_data("no answer of the exchange has reported it yet")
            .query("max by (exchange, limit) (@exchange_rate_limit_used_ratio)", "{{exchange}} {{limit}}")
            .limits(NEUTRAL, &[(0.8, WARNING), (1.0, BAD)])
            .width(12),
    ]
}

/// The threshold of a family's objective, as a limit of a chart.
fn objective_line(family: Option<&LinkedFamily>) -> Vec<(f64, &'static str)> {
    let objective = family.and_then(|family| family.objective);
    objective.map(|objective| (objective.threshold.get(), WARNING)).into_iter().collect()
}

/// Calls outside cycles count for the exchange, too, so that its part is limited to the whole.
fn share() -> Panel {
    let exchange = "clamp_max(sum(rate(@exchange_api_latency_seconds_sum[$__rate_interval]))\n\
                    / (sum(rate(@subsystem_duration_seconds_sum[$__rate_interval])) > 0), 1)";
    Panel::new(Areas, "Time of the cycles", "percentunit")
        .shows("The part of the cycles' time that calls of the exchange take, and the bot's own part.")
        .no_data("no cycle ended within the window")
        .query(exchange, "exchange")
        .query(format!("1 - {exchange}"), "bot")
}

/// The budgets of the objectives of latency and of errors.
fn budget(latency: Option<&LinkedFamily>) -> Panel {
    let all = "sum by (exchange) (increase(@exchange_api_requests_total[3d]))";
    let failures = failures();
    let failed = format!("sum by (exchange) (increase(@exchange_api_requests_total{{{failures}}}[3d]))");
    let panel = Panel::new(Values, "Error budgets left", "percentunit")
        .shows(
            "The part of the failures, and of the slow calls, that the objectives still allow of those of 3 days; below 0 \
             an objective is missed.",
        )
        .no_data("no call ended in 3 days")
        .query(format!("1 - {failed}\n/ ({all} > 0) / {ALLOWED_FAILURES}"), "{{exchange}} errors")
        .limits(BAD, &[(0.0, WARNING), (0.5, GOOD)])
        .width(8)
        .alert("BotExchangeErrorBudgetBurn");
    match latency.and_then(slow_part) {
        Some(slow) => panel.query(slow, "{{exchange}} latency"),
        None => panel,
    }
}

/// The part of the slow calls that is left of those that the objective allows.
fn slow_part(latency: &LinkedFamily) -> Option<String> {
    let objective = latency.objective?;
    let bound = bucket(objective.threshold.get());
    let quick = format!("sum by (exchange) (increase(@exchange_api_latency_seconds_bucket{{{bound}}}[3d]))");
    let all = "sum by (exchange) (increase(@exchange_api_latency_seconds_count[3d]))";
    // Binary fractions are not exact.
    let allowed = ((1.0 - objective.ratio.get()) * 1e9).round() / 1e9;
    Some(format!("1 - (1 - {quick}\n/ ({all} > 0)) / {allowed}"))
}

pub(super) fn risk() -> Vec<Panel> {
    vec![
        Panel::new(Lines, "Use of the capital", "percent")
            .shows("The part of each profile's allocated capital that positions and open orders use.")
            .no_data(NO_PROFILE)
            .query("max by (profile_id) (@profile_utilization_percent)", "{{profile_id}}")
            .limits(NEUTRAL, &[(NEAR_LIMIT.into(), WARNING), (FULL.into(), BAD)])
            .alert("BotProfileOverAllocated"),
        Panel::new(Values, "Available capital", "none")
            .shows("Whether the available capital of each profile is below zero.")
            .no_data(NO_PROFILE)
            .query("max by (profile_id) (@capital_below_zero)", "{{profile_id}}")
            .limits(GOOD, &[(1.0, BAD)])
            .text(0, "✔ not below zero", GOOD)
            .text(1, "✖ below zero", BAD)
            .width(8)
            .alert("BotCapitalInvariantViolated"),
        Panel::new(Bars, "Capital violations", "short")
            .shows("How often available capital fell below zero.")
            .no_data(NO_PROFILE)
            .query(increase("profile_id", "capital_invariant_violations_total"), "{{profile_id}}")
            .alert("BotCapitalInvariantViolated"),
    ]
}

pub(super) fn market_data(context: &RuleContext<'_>) -> Vec<Panel> {
    #[expect(clippy::cast_precision_loss, reason = "a maximum age")]
    let limit = stale_after(context) as f64;
    vec![
        Panel::new(Lines, "Age of the market data", "s")
            .shows("The time since the last update of each symbol.")
            .no_data("no market data has arrived yet")
            .query(
                "max by (exchange, symbol) (timestamp(@market_data_last_update_timestamp_seconds)\n\
                 - @market_data_last_update_timestamp_seconds)",
                "{{exchange}} {{symbol}}",
            )
            .limits(NEUTRAL, &[(limit, BAD)])
            .alert("BotMarketDataStale"),
    ]
}

/// The bot's own families, of which only kind, labels and unit are known.
pub(super) fn own(linked: &LinkedCatalogue) -> Vec<Panel> {
    let own = linked.families.iter().filter(|family| family.origin == Origin::Custom);
    own.map(|family| own_family(family, linked.without_namespace(family))).collect()
}

fn own_family(family: &LinkedFamily, name: &str) -> Panel {
    let labels: Vec<_> = family.labels.iter().map(|label| label.name.as_str()).collect();
    let values: Vec<_> = labels.iter().map(|label| format!("{{{{{label}}}}}")).collect();
    let legend = if values.is_empty() { "all".to_owned() } else { values.join(" ") };
    let by = labels.join(", ");
    let view = if family.kind == Kind::Counter { Areas } else { Lines };
    let panel = Panel::new(view, name, &unit(family, name))
        .shows(&family.help)
        .no_data("nothing was recorded within the window");
    match family.kind {
        // Whether it may be summed over bots is not known.
        Kind::Gauge => panel.query(format!("@{name}"), format!("{legend} {{{{instance}}}}")),
        Kind::Counter => panel.query(format!("60 * sum by ({by}) (rate(@{name}[$__rate_interval]))"), legend),
        Kind::Histogram => panel
            .query(quantile(0.5, &by, name), format!("{legend} p50"))
            .query(quantile(0.99, &by, name), format!("{legend} p99"))
            .limits(NEUTRAL, &objective_line(Some(family))),
    }
}
