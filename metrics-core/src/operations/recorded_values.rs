//! The values that the recording rules must have in scenarios.

use super::alerts::{Scenario, TRADING};
use super::context::RuleContext;
use super::promql::{bound_in_text, equal};
use super::recording::{exchange_error_ratio, exchange_slow_ratio, level, own_slow_ratio};
use crate::catalogue::{
    EXCHANGE_API_LATENCY_SECONDS, EXCHANGE_API_REQUESTS_TOTAL, Kind, SUBSYSTEM_DURATION_SECONDS,
};
use crate::linked::LinkedFamily;

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
        let series = HistogramSeries { family, level: "subsystem", labels: TRADING, bounds: ["1", "2"] };
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
        let text = bound_in_text(bound.get());
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
        equal(&label.name, value)
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
