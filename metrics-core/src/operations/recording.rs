//! The recording rules: quantiles, rates and ratios that alerts and dashboards share.

use super::context::RuleContext;
use super::promql::{any_of, bucket};
use super::scale::{DAY, HOUR, MINUTE};
use crate::catalogue::{
    EXCHANGE_API_LATENCY_SECONDS, EXCHANGE_API_REQUESTS_TOTAL, Kind, SUBSYSTEM_DURATION_SECONDS,
};
use crate::linked::LinkedFamily;
use crate::outcome::Outcome;

/// A recorded series.
pub(super) struct Recording {
    /// `level:metric:operations`.
    pub(super) name: String,
    pub(super) expr: String,
}

/// The windows of ratios, by name.
const WINDOWS: [(&str, u64); 5] =
    [("5m", 5 * MINUTE), ("30m", 30 * MINUTE), ("1h", HOUR), ("6h", 6 * HOUR), ("3d", 3 * DAY)];

/// The matcher of the failed calls.
pub(super) fn failures() -> String {
    any_of("outcome", "=~", &Outcome::failures_of_the_exchange())
}

/// The part of the calls that may fail.
pub(super) const ALLOWED_FAILURES: f64 = 0.005;

/// The recordings of the linked families.
pub(super) fn recordings(context: &RuleContext<'_>) -> Vec<Recording> {
    let mut recordings: Vec<_> =
        context.identity().map(|identity| last_mode(&identity)).into_iter().collect();
    if let Some(duration) = context.name(&SUBSYSTEM_DURATION_SECONDS) {
        recordings.extend(quantiles(context, "subsystem", &duration, &[("p50", 0.5), ("p95", 0.95)]));
        let window = context.window(5 * MINUTE);
        recordings.push(Recording {
            name: format!("subsystem:{duration}:busy_ratio_5m"),
            expr: format!("rate({duration}_sum[{window}])"),
        });
    }
    if let Some(latency) = context.linked.family(EXCHANGE_API_LATENCY_SECONDS.name) {
        recordings.extend(quantiles(context, "operation", &latency.name, &[("p50", 0.5), ("p99", 0.99)]));
        recordings.push(rate(context, "operation", &format!("{}_count", latency.name)));
        let sums = ["sum without (operation)", "sum without (operation, le)"];
        recordings
            .extend(slow_ratios(context, latency, sums, |window| exchange_slow_ratio(&latency.name, window)));
    }
    if let Some(requests) = context.name(&EXCHANGE_API_REQUESTS_TOTAL) {
        recordings.extend(error_ratios(context, &requests));
    }
    recordings.extend(own(context));
    recordings
}

/// The mode that an instance had last, for as long as Prometheus knows its target: a bot that is down cannot say it.
fn last_mode(identity: &str) -> Recording {
    let name = last_mode_name(identity);
    let expr = format!(
        "count by (job, instance, mode) ({identity})\n\
         or {name} unless on (job, instance) {identity} and on (job, instance) up"
    );
    Recording { name, expr }
}

/// The name of the recorded last mode, given the family that tells it.
pub(super) fn last_mode_name(identity: &str) -> String {
    format!("instance:{identity}:last_mode")
}

/// The default set of the bot's own families.
fn own(context: &RuleContext<'_>) -> Vec<Recording> {
    let counters = context.own(Kind::Counter).map(|family| rate(context, &level(family), &family.name));
    let mut recordings: Vec<_> = counters.collect();
    for family in context.own(Kind::Histogram) {
        recordings.extend(quantiles(context, &level(family), &family.name, &[("p50", 0.5), ("p99", 0.99)]));
        let sums = [without(family, &[]), without(family, &["le"])];
        let sums = [sums[0].as_str(), sums[1].as_str()];
        recordings.extend(slow_ratios(context, family, sums, |window| own_slow_ratio(family, window)));
    }
    recordings
}

/// The name of the recorded p95 of the cycles of each subsystem.
pub(super) fn subsystem_p95(context: &RuleContext<'_>) -> Option<String> {
    context.name(&SUBSYSTEM_DURATION_SECONDS).map(|duration| format!("subsystem:{duration}:p95_10m"))
}

/// The name of the recorded p99 of each operation at an exchange.
pub(super) fn exchange_p99(context: &RuleContext<'_>) -> Option<String> {
    context.name(&EXCHANGE_API_LATENCY_SECONDS).map(|latency| format!("operation:{latency}:p99_10m"))
}

/// The name of the recorded part of an exchange's calls that are slower than the objective's threshold.
pub(super) fn exchange_slow_ratio(latency: &str, window: &str) -> String {
    format!("exchange:{latency}:slow_ratio_{window}")
}

/// The name of the recorded part of an exchange's calls that fail.
pub(super) fn exchange_error_ratio(requests: &str, window: &str) -> String {
    format!("exchange:{requests}:error_ratio_{window}")
}

/// The name of the recorded part of the observations above the threshold of the objective.
pub(super) fn own_slow_ratio(family: &LinkedFamily, window: &str) -> String {
    format!("instance:{}:slow_ratio_{window}", family.name)
}

/// A sum over the labels of a family, and these.
pub(super) fn without(family: &LinkedFamily, further: &[&str]) -> String {
    let labels: Vec<_> =
        family.labels.iter().map(|label| label.name.as_str()).chain(further.iter().copied()).collect();
    format!("sum without ({})", labels.join(", "))
}

/// The level of aggregation of the family's own series: its labels.
pub(super) fn level(family: &LinkedFamily) -> String {
    let labels: Vec<_> = family.labels.iter().map(|label| label.name.as_str()).collect();
    if labels.is_empty() { "instance".to_owned() } else { labels.join("_") }
}

/// Quantiles of a histogram; none while nothing is observed.
fn quantiles(
    context: &RuleContext<'_>,
    level: &str,
    family: &str,
    quantiles: &[(&str, f64)],
) -> Vec<Recording> {
    let window = context.window(10 * MINUTE);
    let recording = |(name, quantile): &(&str, f64)| Recording {
        name: format!("{level}:{family}:{name}_10m"),
        // The comparison drops NaN.
        expr: format!("histogram_quantile({quantile}, rate({family}_bucket[{window}])) >= 0"),
    };
    quantiles.iter().map(recording).collect()
}

fn rate(context: &RuleContext<'_>, level: &str, counter: &str) -> Recording {
    let window = context.window(5 * MINUTE);
    Recording { name: format!("{level}:{counter}:rate5m"), expr: format!("rate({counter}[{window}])") }
}

/// The part above the threshold of the objective, if there is one, over each window.
fn slow_ratios(
    context: &RuleContext<'_>,
    family: &LinkedFamily,
    [sum, sum_of_buckets]: [&str; 2],
    name_of: impl Fn(&str) -> String,
) -> Vec<Recording> {
    let Some(objective) = family.objective else { return Vec::new() };
    let (name, bound) = (&family.name, bucket(objective.threshold.get()));
    let recording = |(window_name, length): (&str, u64)| {
        let window = context.window(length);
        Recording {
            name: name_of(window_name),
            expr: format!(
                "1 - {sum_of_buckets} (rate({name}_bucket{{{bound}}}[{window}]))\n  / ({sum} (rate({name}_count[{window}])) > 0)"
            ),
        }
    };
    WINDOWS.into_iter().map(recording).collect()
}

fn error_ratios(context: &RuleContext<'_>, requests: &str) -> Vec<Recording> {
    let (sum, failures) = ("sum without (operation, outcome)", failures());
    let recording = |(window_name, length): (&str, u64)| {
        let window = context.window(length);
        Recording {
            name: exchange_error_ratio(requests, window_name),
            expr: format!(
                "{sum} (rate({requests}{{{failures}}}[{window}]))\n  / ({sum} (rate({requests}[{window}])) > 0)"
            ),
        }
    };
    WINDOWS.into_iter().map(recording).collect()
}
