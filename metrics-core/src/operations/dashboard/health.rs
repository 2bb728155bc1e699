//! The rows about the bot itself: its state, its loops, its reconciliation, its events and its process.

use super::panel::PanelView::{Areas, Bars, Heatmap, Lines, Names, Values};
use super::panel::{BAD, GOOD, NEUTRAL, Panel, WARNING};
use crate::operations::alerts::{STARTS, WATCHDOG};
use crate::operations::promql::{Growth, SeriesSelector};
use crate::operations::scale::DAY;

const NO_CYCLE: &str = "no cycle ended within the window";

/// Alerts beside the Watchdog, of the selected instances or of none.
const ALERTS: &str = r#"ALERTS{alertstate="firing", severity!="none", job=~"$job", instance=~"$instance|"}"#;

/// The time since each loop last succeeded, at the last scrape.
const AGE_OF_SUCCESS: &str =
    "max by (subsystem) (timestamp(@subsystem_last_run_timestamp) - @subsystem_last_run_timestamp)";

/// The firing alerts by name, or `none` if the Watchdog alone fires.
fn firing() -> String {
    let watchdog = format!(r#"ALERTS{{alertname="{WATCHDOG}", job=~"$job"}}"#);
    format!(
        "sum by (alertname) ({ALERTS})\n\
         or on () label_replace(0 * count({watchdog}), \"alertname\", \"none\", \"\", \"\")"
    )
}

pub(super) fn now() -> Vec<Panel> {
    vec![
        Panel::new(Names, "Mode", "none")
            .shows("Whether the bot trades with real money, and in which environment it runs.")
            .query(
                r#"group by (mode, env) (@:identity{mode="live"}) + 1 or group by (mode, env) (@:identity)"#,
                "{{mode}} in {{env}}",
            )
            .limits(NEUTRAL, &[(2.0, BAD)])
            .alert("BotLiveModeInDevelopment"),
        Panel::new(Values, "State of the loops", "none")
            .shows("Whether each loop has succeeded within its maximum age; the worst of the selected bots.")
            .query("min by (subsystem) (@subsystem_alive + @subsystem_paused)", "{{subsystem}}")
            .fallback("min by (subsystem) (@subsystem_alive)")
            .limits(BAD, &[(1.0, GOOD), (2.0, NEUTRAL)])
            .text(0, "✖ stalled", BAD)
            .text(1, "✔ alive", GOOD)
            .text(2, "⏸ paused", NEUTRAL)
            .alert("BotSubsystemStalled"),
        Panel::new(Values, "Since the last success", "s")
            .shows("The time since each loop last succeeded.")
            .no_data("no cycle has succeeded since the start")
            .query(AGE_OF_SUCCESS, "{{subsystem}}"),
        Panel::new(Values, "Restarts in 1 h", "short")
            .shows("How often the bot was restarted within an hour.")
            .query("sum(changes(@process_start_time_seconds[1h]))", "restarts")
            .limits(GOOD, &[(1.0, WARNING), (f64::from(STARTS) + 1.0, BAD)])
            .alert("BotRestartLoop"),
        Panel::new(Names, "Firing alerts", "short")
            .shows("The names of the firing alerts.")
            .no_data("Prometheus has not loaded the rules: `metrics rules` writes them")
            .query(firing(), "{{alertname}}")
            .limits(GOOD, &[(1.0, BAD)]),
        Panel::new(Values, "Capital violations in 24 h", "short")
            .shows("How often available capital fell below zero within 24 hours.")
            .no_data("no profile is known yet")
            .query(violations(Some(START)), "violations")
            .fallback(&violations(None))
            .limits(GOOD, &[(1.0, BAD)])
            .alert("BotCapitalInvariantViolated"),
    ]
}

/// The series of the starts of the processes.
const START: &str = "@process_start_time_seconds";

/// The violations of a day, or 0.
fn violations(start: Option<&str>) -> String {
    let all = SeriesSelector::new("@capital_invariant_violations_total");
    #[expect(clippy::cast_precision_loss, reason = "a day in seconds is exact")]
    let start = start.map(|start| (SeriesSelector::new(start), DAY as f64));
    let grew = Growth { window: "24h", up: selected_up(), start }.of(&all, &[]);
    format!("sum({grew}\nor 0 * {all})")
}

/// Prometheus' own series about the selected bots.
fn selected_up() -> SeriesSelector {
    SeriesSelector::new("up").with(r#"job=~"$job", instance=~"$instance""#)
}

pub(super) fn loops() -> Vec<Panel> {
    vec![
        Panel::new(Lines, "Duration of a cycle", "s")
            .shows("The median of the cycles' durations, and the duration that 95 % do not exceed.")
            .no_data(NO_CYCLE)
            .query(quantile(0.5, "subsystem", "subsystem_duration_seconds"), "{{subsystem}} p50")
            .query(quantile(0.95, "subsystem", "subsystem_duration_seconds"), "{{subsystem}} p95")
            .alert("BotSubsystemSlow"),
        Panel::new(Heatmap, "Cycles by duration", "s")
            .shows("How many cycles of all loops took how long.")
            .no_data(NO_CYCLE)
            .query(buckets("subsystem_duration_seconds"), "{{le}}"),
        Panel::new(Lines, "Busy time", "percentunit")
            .shows(
                "The part of the time in which a cycle of the loop runs; above 100 % if several run at once.",
            )
            .query(
                "max by (subsystem) (rate(@subsystem_duration_seconds_sum[$__rate_interval]))",
                "{{subsystem}}",
            ),
        Panel::new(Areas, "Cycles by outcome", "opm")
            .shows("Cycles per minute by their outcome; outcomes that have never occurred are left out.")
            .no_data(NO_CYCLE)
            .query(
                "60 * sum by (subsystem, outcome) (rate(@subsystem_runs_total[$__rate_interval]))\n\
                 and sum by (subsystem, outcome) (@subsystem_runs_total) > 0",
                "{{subsystem}} {{outcome}}",
            )
            .width(24)
            .alert("BotSubsystemStalled"),
    ]
}

pub(super) fn reconciliation() -> Vec<Panel> {
    vec![
        Panel::new(Lines, "Missing items", "short")
            .shows(
                "Orders and positions that the last complete cycle missed: in the database although the exchange has \
                 them, or at the exchange although the database has them.",
            )
            .no_data("no cycle was complete yet")
            .query(
                "max by (instance, source) (@reconciliation_missing_items_count)",
                "missing from {{source}}, {{instance}}",
            )
            .limits(NEUTRAL, &[(1.0, BAD)])
            .alert("BotReconciliationItemsMissing"),
        Panel::new(Bars, "New mismatches", "short")
            .shows("Newly detected mismatches between the bot's state and the exchange's.")
            .query(increase("kind, source", "reconciliation_mismatches_by_kind_total"), "{{kind}} {{source}}")
            .fallback("sum(increase(@reconciliation_mismatches_total[$__rate_interval]))")
            .alert("BotReconciliationMismatch"),
        Panel::new(Lines, "Age of these figures", "s")
            .shows(
                "The time since the last complete cycle; until the next one, the figures beside are those of then.",
            )
            .no_data("no cycle was complete yet")
            .query(
                "max by (instance) (timestamp(@subsystem_last_run_timestamp{subsystem=\"reconciliation\"})\n\
                 - @subsystem_last_run_timestamp{subsystem=\"reconciliation\"}\n\
                 and on (job, instance) @reconciliation_missing_items_count)",
                "{{instance}}",
            )
            .alert("BotReconciliationBlind"),
    ]
}

pub(super) fn events() -> Vec<Panel> {
    let all = SeriesSelector::new("@operational_events_total");
    let alarming = [r#"severity=~"WARNING|ERROR|CRITICAL""#.to_owned()];
    // Without the starts, because the interval is not known as a number.
    let grown = Growth { window: "$__rate_interval", up: selected_up(), start: None };
    let grown = |matchers: &[String]| format!("({})", grown.of(&all, matchers));
    vec![
        Panel::new(Bars, "Events by type", "short")
            .shows("Events by their type.")
            .no_data("no event occurred within the window")
            .query(format!("sum by (type) {}", grown(&[])), "{{type}}")
            .width(12),
        Panel::new(Bars, "Warnings and errors", "short")
            .shows("Events that need attention, by severity and type.")
            .no_data("no such event occurred within the window")
            .query(format!("sum by (severity, type) {}", grown(&alarming)), "{{severity}} {{type}}")
            .width(12)
            .alert("BotErrorEvents"),
    ]
}

pub(super) fn process() -> Vec<Panel> {
    let gauge = |title, unit, family: &str, description| {
        Panel::new(Lines, title, unit).shows(description).query(format!("@{family}"), "{{instance}}")
    };
    vec![
        Panel::new(Lines, "Processor time", "percentunit")
            .shows("The used processor time; 100 % is one processor.")
            .query("rate(@process_cpu_seconds_total[$__rate_interval])", "{{instance}}"),
        gauge("Memory", "bytes", "process_resident_memory_bytes", "The resident memory."),
        gauge("Open files", "short", "process_open_fds", "The open file descriptors, connections included."),
        gauge("Threads", "short", "process_threads", "The threads of the operating system."),
        gauge(
            "Duration of a scrape",
            "s",
            "scrape_duration_seconds",
            "The time in which the bot collects its metrics.",
        ),
        Panel::new(Lines, "Delay of tokio's tasks", "s")
            .shows("The delay of a wake-up that 99 % do not exceed.")
            .no_data("no runtime is watched")
            .query(quantile(0.99, "instance", "tokio_scheduler_lag_seconds"), "{{instance}} p99"),
        Panel::new(Bars, "Faults of the measurement", "short")
            .shows("Recordings, values and collectors that were dropped or replaced.")
            .query(
                increase("metric, label", "label_overflow_total"),
                "label {{label}} of {{metric}} over its limit",
            )
            .query(increase("metric", "invalid_observations_total"), "invalid value of {{metric}}")
            .query(increase("reason", "foreign_collector_failures_total"), "collector: {{reason}}")
            .query(increase("instance", "recordings_lost_total"), "lost recordings of {{instance}}")
            .query(increase("instance", "clock_fallbacks_total"), "clock of {{instance}} replaced")
            .alert("BotLabelOverflow"),
    ]
}

/// The growth of a counter in the interval that Grafana derives from the chart and the scrapes, by these labels.
pub(super) fn increase(by: &str, counter: &str) -> String {
    format!("sum by ({by}) (increase(@{counter}[$__rate_interval]))")
}

/// A quantile of a histogram by these labels.
pub(super) fn quantile(quantile: f64, by: &str, family: &str) -> String {
    let comma = if by.is_empty() { "" } else { ", " };
    format!(
        "histogram_quantile({quantile}, sum by (le{comma}{by}) (rate(@{family}_bucket[$__rate_interval])))"
    )
}

/// The observations in each bucket.
pub(super) fn buckets(family: &str) -> String {
    increase("le", &format!("{family}_bucket"))
}
