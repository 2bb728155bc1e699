//! The recording rules: quantiles, rates and ratios that alerts and dashboards share.

use serde::Serialize;

use super::context::RuleContext;
use super::promql::{SeriesSelector, any_of, bucket};
use super::scale::{DAY, HOUR, MINUTE};
use crate::catalogue::{
    EXCHANGE_API_LATENCY_SECONDS, EXCHANGE_API_REQUESTS_TOTAL, Kind, SUBSYSTEM_DURATION_SECONDS,
};
use crate::labels::Operation;
use crate::linked::{LinkedFamily, LinkedObjective};
use crate::outcome::Outcome;

/// A recorded series.
#[derive(Debug, Serialize)]
pub(super) struct Recording {
    /// `level:metric:operations`.
    #[serde(rename = "record")]
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
        context.identity().map(|identity| last_mode(context, &identity)).into_iter().collect();
    if let Some(duration) = context.series(&SUBSYSTEM_DURATION_SECONDS) {
        recordings.extend(quantiles(context, "subsystem", &duration, &[("p50", 0.5), ("p95", 0.95)]));
        let window = context.window(5 * MINUTE);
        recordings.push(Recording {
            name: format!("subsystem:{}:busy_ratio_5m", duration.name()),
            expr: format!("rate({}[{window}])", duration.part("_sum")),
        });
    }
    if let Some(latency) = context.series(&EXCHANGE_API_LATENCY_SECONDS) {
        recordings.extend(quantiles(context, "operation", &latency, &[("p50", 0.5), ("p99", 0.99)]));
        recordings.push(rate(context, "operation", &latency.part("_count")));
        recordings.extend(order_calls(context).map(|orders| orders.recording));
        recordings.extend(SlowRatio::of_exchange(context).iter().flat_map(|slow| slow.recordings(context)));
    }
    if let Some(requests) = context.series(&EXCHANGE_API_REQUESTS_TOTAL) {
        recordings.extend(error_ratios(context, &requests));
    }
    recordings.extend(own(context));
    recordings
}

/// The mode that an instance had last: a bot that is down cannot say it. It is forgotten after a day without a scrape,
/// in which another bot may have taken the place of the instance, and when Prometheus no longer knows the target.
fn last_mode(context: &RuleContext<'_>, identity: &SeriesSelector) -> Recording {
    let name = last_mode_name(identity);
    let (last, up, day) = (context.of_job(&name), context.up(), context.window(DAY));
    let expr = format!(
        "count by (job, instance, mode) ({identity})\n\
         or {last} unless on (job, instance) {identity}\n  and on (job, instance) ({up} and max_over_time({up}[{day}]) == 1)"
    );
    Recording { name, expr }
}

/// The name of the recorded last mode, given the series that tell it.
fn last_mode_name(identity: &SeriesSelector) -> String {
    format!("instance:{}:last_mode", identity.name())
}

/// The recorded last mode of each instance, given the series that tell it.
pub(super) fn recorded_mode(context: &RuleContext<'_>, identity: &SeriesSelector) -> SeriesSelector {
    context.of_job(last_mode_name(identity))
}

/// The length of the windows in which calls about orders are counted, unless the trading loop is paced more slowly.
pub(super) const HALF_HOUR: u64 = 30 * MINUTE;

/// The maximum age of the trading loop above which its calls about orders are not counted, in seconds.
const SLOWEST: u64 = 2 * HOUR;

/// The operations of a strategy that works, beside those that place an order.
const CANCELLING: [Operation; 2] = [Operation::CancelOrder, Operation::CancelAllOrders];

/// The recorded number of calls about orders.
pub(super) struct OrderCalls {
    /// For each instance.
    pub(super) recording: Recording,
    /// The length of the window in seconds, without a time scale.
    pub(super) window: u64,
    /// The operations, of which the first places an order.
    pub(super) operations: Vec<&'static str>,
}

/// The number of calls about orders within half an hour, or the maximum age of the trading loop; `None` if the bot
/// places no orders, or rarely.
pub(super) fn order_calls(context: &RuleContext<'_>) -> Option<OrderCalls> {
    let calls = context.series(&EXCHANGE_API_LATENCY_SECONDS)?.part("_count");
    let mut operations = context.operations_of(&EXCHANGE_API_LATENCY_SECONDS, Operation::PLACING);
    if operations.is_empty() {
        return None;
    }
    operations.extend(context.operations_of(&EXCHANGE_API_LATENCY_SECONDS, &CANCELLING));
    let window = HALF_HOUR.max(context.max_age("trading"));
    // A loop that is paced in hours is not expected to trade in each of them.
    if window > SLOWEST {
        return None;
    }
    let orders = calls.with(any_of("operation", "=~", &operations));
    let recording = Recording {
        name: format!("instance:{}:orders", calls.name()),
        expr: format!("sum by (job, instance) (increase({orders}[{}]))", context.window(window)),
    };
    Some(OrderCalls { recording, window, operations })
}

/// The default set of the bot's own families.
fn own(context: &RuleContext<'_>) -> Vec<Recording> {
    let counters =
        context.own(Kind::Counter).map(|family| rate(context, &level(family), &context.of_job(&family.name)));
    let mut recordings: Vec<_> = counters.collect();
    for family in context.own(Kind::Histogram) {
        let series = context.of_job(&family.name);
        recordings.extend(quantiles(context, &level(family), &series, &[("p50", 0.5), ("p99", 0.99)]));
        recordings.extend(SlowRatio::of_own(family).iter().flat_map(|slow| slow.recordings(context)));
    }
    recordings
}

/// The recorded p95 of the cycles of each subsystem, given their durations.
pub(super) fn subsystem_p95(context: &RuleContext<'_>, duration: &SeriesSelector) -> SeriesSelector {
    context.of_job(format!("subsystem:{}:p95_10m", duration.name()))
}

/// The recorded p99 of each operation at an exchange, given its latency.
pub(super) fn exchange_p99(context: &RuleContext<'_>, latency: &SeriesSelector) -> SeriesSelector {
    context.of_job(format!("operation:{}:p99_10m", latency.name()))
}

/// The name of the recorded part of an exchange's calls that fail.
pub(super) fn exchange_error_ratio(requests: &str, window: &str) -> String {
    format!("exchange:{requests}:error_ratio_{window}")
}

/// The part of a histogram's observations that are above the threshold of its objective.
pub(super) struct SlowRatio<'a> {
    family: &'a LinkedFamily,
    pub(super) objective: LinkedObjective,
    /// The level of aggregation.
    level: &'static str,
    /// The labels over which it is summed.
    summed: Vec<&'a str>,
}

impl<'a> SlowRatio<'a> {
    /// That of the calls of each exchange, if there is an objective.
    pub(super) fn of_exchange(context: &RuleContext<'a>) -> Option<Self> {
        let family = context.linked.family(EXCHANGE_API_LATENCY_SECONDS.name)?;
        let objective = family.objective?;
        Some(Self { family, objective, level: "exchange", summed: vec!["operation"] })
    }

    /// That of one of the bot's own families, if it has an objective.
    pub(super) fn of_own(family: &'a LinkedFamily) -> Option<Self> {
        let summed = family.labels.iter().map(|label| label.name.as_str()).collect();
        Some(Self { family, objective: family.objective?, level: "instance", summed })
    }

    /// The name under which it is recorded for a window.
    pub(super) fn name(&self, window: &str) -> String {
        format!("{}:{}:slow_ratio_{window}", self.level, self.family.name)
    }

    /// The sums of `rate` or `increase` of all observations, and of those within the threshold.
    pub(super) fn sums(&self, context: &RuleContext<'_>, function: &str, window: &str) -> [String; 2] {
        let series = context.of_job(&self.family.name);
        let within = series.part("_bucket").with(bucket(self.objective.threshold.get()));
        let bucket_labels: Vec<_> = self.summed.iter().copied().chain(["le"]).collect();
        [(series.part("_count"), &self.summed), (within, &bucket_labels)].map(|(series, labels)| {
            format!("sum without ({}) ({function}({series}[{window}]))", labels.join(", "))
        })
    }

    fn recordings(&self, context: &RuleContext<'_>) -> Vec<Recording> {
        let recording = |window: &str, length: &str| {
            let [all, within] = self.sums(context, "rate", length);
            Recording { name: self.name(window), expr: format!("1 - {within}\n  / ({all} > 0)") }
        };
        over_windows(context, recording)
    }
}

/// A recording for each window, from its name and its length.
fn over_windows(context: &RuleContext<'_>, recording: impl Fn(&str, &str) -> Recording) -> Vec<Recording> {
    WINDOWS.into_iter().map(|(window, length)| recording(window, &context.window(length))).collect()
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
    family: &SeriesSelector,
    quantiles: &[(&str, f64)],
) -> Vec<Recording> {
    let (window, buckets) = (context.window(10 * MINUTE), family.part("_bucket"));
    let recording = |(name, quantile): &(&str, f64)| Recording {
        name: format!("{level}:{}:{name}_10m", family.name()),
        // The comparison drops NaN.
        expr: format!("histogram_quantile({quantile}, rate({buckets}[{window}])) >= 0"),
    };
    quantiles.iter().map(recording).collect()
}

fn rate(context: &RuleContext<'_>, level: &str, counter: &SeriesSelector) -> Recording {
    let window = context.window(5 * MINUTE);
    Recording {
        name: format!("{level}:{}:rate5m", counter.name()),
        expr: format!("rate({counter}[{window}])"),
    }
}

fn error_ratios(context: &RuleContext<'_>, requests: &SeriesSelector) -> Vec<Recording> {
    let sum = "sum without (operation, outcome)";
    let failed = requests.with(failures());
    over_windows(context, |window, length| Recording {
        name: exchange_error_ratio(requests.name(), window),
        expr: format!("{sum} (rate({failed}[{length}]))\n  / ({sum} (rate({requests}[{length}])) > 0)"),
    })
}
