//! The recording rules: quantiles, rates and ratios that alerts and dashboards share.

use super::alerts::Scenario;
use super::context::{RuleContext, bucket};
use super::scale::{DAY, HOUR, MINUTE};
use crate::catalogue::{
    EXCHANGE_API_LATENCY_SECONDS, EXCHANGE_API_REQUESTS_TOTAL, Kind, SUBSYSTEM_DURATION_SECONDS,
};
use crate::linked::LinkedFamily;

/// A recorded series.
pub(super) struct Recording {
    /// `level:metric:operations`.
    pub(super) name: String,
    pub(super) expr: String,
}

/// The windows of ratios, by name.
const WINDOWS: [(&str, u64); 5] =
    [("5m", 5 * MINUTE), ("30m", 30 * MINUTE), ("1h", HOUR), ("6h", 6 * HOUR), ("3d", 3 * DAY)];

/// The outcomes that are the exchange's or the network's fault. A reject is none.
pub(super) const FAILURES: &str = "outcome=~\"timeout|transport|server_error\"";

/// The part of the calls that may fail.
pub(super) const ALLOWED_FAILURES: f64 = 0.005;

/// The recordings of the linked families.
pub(super) fn recordings(context: &RuleContext<'_>) -> Vec<Recording> {
    let mut recordings = Vec::new();
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
fn level(family: &LinkedFamily) -> String {
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
    let (name, bound) = (&family.name, bucket(&objective.threshold.to_string()));
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
    let sum = "sum without (operation, outcome)";
    let recording = |(window_name, length): (&str, u64)| {
        let window = context.window(length);
        Recording {
            name: exchange_error_ratio(requests, window_name),
            expr: format!(
                "{sum} (rate({requests}{{{FAILURES}}}[{window}]))\n  / ({sum} (rate({requests}[{window}])) > 0)"
            ),
        }
    };
    WINDOWS.into_iter().map(recording).collect()
}

/// The values that recording rules must have in a scenario.
pub(super) struct RecordedValues {
    /// The names of the rules come with it in the title of the test.
    pub(super) family: String,
    pub(super) scenario: Scenario,
    /// The minute at which they have these values.
    pub(super) minute: u64,
    /// Each rule, with labels and value, rounded to four digits; `None` if nothing is recorded.
    pub(super) values: Vec<(String, Option<(String, f64)>)>,
}

/// One observation every 70 s, so that no window begins or ends with one: versions of Prometheus differ about these.
const STEP: u64 = 70;
/// At this minute, the windows of 5m, 10m, 30m, 1h, 6h and 3d contain 4, 8, 25, 51, 308 and 347 new observations.
const MINUTE_OF_VALUES: u64 = 405;
/// Of which the last three are slow.
const ALL: &str = "100+1x347";
const QUICK: &str = "100+1x344 444x2";
const SLOW: &str = "100x344 101+1x2";
const SLOW_RATIOS: [(&str, f64); 5] =
    [("5m", 0.75), ("30m", 0.12), ("1h", 0.0588), ("6h", 0.0097), ("3d", 0.0086)];
/// Each takes 14 s: a fifth of the time.
const SUM: &str = "100+14x347";
const BUSY: f64 = 0.2;
const RATE: f64 = 0.0143;
const SLOW_RATE: f64 = 0.0107;
const IDLE: &str = "5x30";

/// The expected values of the recordings.
pub(super) fn recorded_values(context: &RuleContext<'_>) -> Vec<RecordedValues> {
    let call = "exchange=\"paper\",operation=\"get_ticker\"";
    let mut values = Vec::new();
    if let Some(family) = context.linked.family(SUBSYSTEM_DURATION_SECONDS.name) {
        let series = HistogramSeries {
            family,
            level: "subsystem",
            labels: "subsystem=\"trading\"",
            bounds: ["1", "2"],
        };
        let busy = (format!("subsystem:{}:busy_ratio_5m", family.name), BUSY);
        values.extend(series.expected(context, [("p50", 0.8), ("p95", 1.8667)], vec![busy], Vec::new()));
    }
    if let Some(family) = context.linked.family(EXCHANGE_API_LATENCY_SECONDS.name) {
        let series = HistogramSeries { family, level: "operation", labels: call, bounds: ["1", "1.5"] };
        let rate = (format!("operation:{}_count:rate5m", family.name), RATE);
        let slow = SLOW_RATIOS.map(|(window, ratio)| (exchange_slow_ratio(&family.name, window), ratio));
        values.extend(series.expected(context, [("p50", 0.8), ("p99", 1.4867)], vec![rate], slow.into()));
    }
    if let Some(family) = context.linked.family(EXCHANGE_API_REQUESTS_TOTAL.name) {
        let name = context.linked.without_namespace(family);
        let failing = |title: &str, quick: &str, slow: &str| {
            let outcome = |outcome: &str| format!("{call},outcome=\"{outcome}\"");
            Scenario::new(context, title).series(name, &outcome("ok"), quick).series(
                name,
                &outcome("timeout"),
                slow,
            )
        };
        let scenario = failing("the last calls fail", QUICK, SLOW).every(STEP);
        let labels = scenario.selector("exchange=\"paper\"");
        let ratio =
            |(window, ratio)| (exchange_error_ratio(&family.name, window), Some((labels.clone(), ratio)));
        let none = |(window, _)| (exchange_error_ratio(&family.name, window), None);
        values.push(at(MINUTE_OF_VALUES, family, scenario.clone(), SLOW_RATIOS.map(ratio).into()));
        values.push(at(20, family, failing("no calls", IDLE, IDLE), SLOW_RATIOS.map(none).into()));
    }
    values.extend(own_values(context));
    values
}

fn own_values(context: &RuleContext<'_>) -> Vec<RecordedValues> {
    let mut values = Vec::new();
    for family in context.own(Kind::Counter) {
        let labels = sample_labels(family);
        let scenario = Scenario::new(context, "it grows at last").every(STEP);
        let scenario = scenario.series(context.linked.without_namespace(family), &labels, SLOW);
        let name = format!("{}:{}:rate5m", level(family), family.name);
        let sample = Some((scenario.selector(&labels), SLOW_RATE));
        values.push(at(MINUTE_OF_VALUES, family, scenario, vec![(name, sample)]));
    }
    for family in context.own(Kind::Histogram) {
        let (labels, level) = (sample_labels(family), level(family));
        let Some(bound) =
            family.objective.map(|objective| objective.threshold).or(family.buckets.first().copied())
        else {
            continue;
        };
        let text = bound.to_string();
        let series = HistogramSeries { family, level: &level, labels: &labels, bounds: [&text, "+Inf"] };
        let rounded = |part: f64| (bound.get() * part * 10_000.0).round() / 10_000.0;
        let ratios = SLOW_RATIOS.iter().filter(|_| family.objective.is_some());
        let slow = ratios.map(|(window, ratio)| (own_slow_ratio(family, window), *ratio)).collect();
        // The last quantile is above the largest bound that the scenario has.
        values.extend(series.expected(
            context,
            [("p50", rounded(0.8)), ("p99", rounded(1.0))],
            Vec::new(),
            slow,
        ));
    }
    values
}

/// Labels of a series of the family: a possible value for each.
pub(super) fn sample_labels(family: &LinkedFamily) -> String {
    let labels = family.labels.iter().map(|label| {
        let value = label.values.as_ref().and_then(|values| values.first()).map_or("one", String::as_str);
        format!("{}=\"{value}\"", label.name)
    });
    labels.collect::<Vec<_>>().join(",")
}

fn at(
    minute: u64,
    family: &LinkedFamily,
    scenario: Scenario,
    values: Vec<(String, Option<(String, f64)>)>,
) -> RecordedValues {
    RecordedValues { family: family.name.clone(), scenario, minute, values }
}

/// A series of a histogram with two buckets, of which the first contains the quick observations.
struct HistogramSeries<'a> {
    family: &'a LinkedFamily,
    level: &'a str,
    labels: &'a str,
    bounds: [&'a str; 2],
}

impl HistogramSeries<'_> {
    fn scenario(&self, context: &RuleContext<'_>, title: &str, [quick, all, sum]: [&str; 3]) -> Scenario {
        let name = context.linked.without_namespace(self.family);
        let scenario = Scenario::new(context, title)
            .series(&format!("{name}_count"), self.labels, all)
            .series(&format!("{name}_sum"), self.labels, sum);
        let [first, second] = self.bounds;
        let beyond = (second != "+Inf").then_some(("+Inf", all));
        let buckets = [(first, quick), (second, all)].into_iter().chain(beyond);
        let comma = if self.labels.is_empty() { "" } else { "," };
        buckets.fold(scenario, |scenario, (bound, values)| {
            scenario.series(
                &format!("{name}_bucket"),
                &format!("{}{comma}le=\"{bound}\"", self.labels),
                values,
            )
        })
    }

    /// The values of its quantiles, further ones of each series, and ratios of all operations or labels.
    fn expected(
        &self,
        context: &RuleContext<'_>,
        quantiles: [(&str, f64); 2],
        further: Vec<(String, f64)>,
        ratios: Vec<(String, f64)>,
    ) -> [RecordedValues; 2] {
        let scenario =
            self.scenario(context, "the last observations are slow", [QUICK, ALL, SUM]).every(STEP);
        let idle = self.scenario(context, "nothing is observed", [IDLE; 3]);
        let quantiles =
            quantiles.map(|(name, value)| (format!("{}:{}:{name}_10m", self.level, self.family.name), value));
        // A ratio has the labels that its sum leaves.
        let left = if self.level == "operation" { "exchange=\"paper\"" } else { "" };
        let of_idle = quantiles.iter().chain(&ratios).map(|(name, _)| (name.clone(), None)).collect();
        let sample =
            |labels: &str, (name, value): (String, f64)| (name, Some((scenario.selector(labels), value)));
        let of_series = quantiles.into_iter().chain(further).map(|value| sample(self.labels, value));
        let values = of_series.chain(ratios.into_iter().map(|value| sample(left, value))).collect();
        [at(MINUTE_OF_VALUES, self.family, scenario.clone(), values), at(20, self.family, idle, of_idle)]
    }
}
