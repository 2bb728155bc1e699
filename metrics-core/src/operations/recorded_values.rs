//! The values that the recording rules must have in scenarios.

use super::alerts::{Scenario, TICKER, TRADING, counts, with_label};
use super::context::RuleContext;
use super::promql::bound_in_text;
use super::recording::{HALF_HOUR, SlowRatio, exchange_error_ratio, level, order_calls, recorded_mode};
use super::scale::MINUTE;
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

/// Observations of which the last three are slow, and the ratios of slow ones.
struct Observations {
    /// Seconds between two scrapes. No window begins or ends with one: versions of Prometheus differ about these.
    step: u64,
    /// The minute at which the recordings have these values.
    minute: u64,
    /// The numbers of scrapes, and of the observations before each. The rate differs within each window, within half of
    /// it and within twice its length.
    before: &'static [(u32, f64)],
    /// Those after these: all, and the quick ones.
    last_of_all: &'static [(u32, f64)],
    last_quick: &'static [(u32, f64)],
    /// The scrapes without and with slow ones.
    slow: [(u32, f64); 2],
    /// The part of the slow ones in each window.
    ratios: &'static [(&'static str, f64)],
}

/// Otherwise `rate` would not extrapolate to before the first scrape within a window.
const START: (u32, f64) = (1, 100.0);

/// At its minute, the windows of 5m, 10m, 30m, 1h and 6h contain 6, 10, 40, 66 and 528 new observations.
const HOURS: Observations = Observations {
    step: 70,
    minute: 405,
    before: &[(38, 1.0), (154, 2.0), (52, 1.0), (51, 2.0), (26, 1.0), (13, 2.0), (8, 1.0)],
    last_of_all: &[(2, 2.0), (2, 1.0)],
    last_quick: &[(1, 2.0), (1, 1.0), (2, 0.0)],
    slow: [(343, 0.0), (3, 1.0)],
    ratios: &[("5m", 0.5), ("30m", 0.075), ("1h", 0.0455), ("6h", 0.0057)],
};

/// At its minute, three days contain 92 new observations.
const DAYS: Observations = Observations {
    step: 70 * MINUTE,
    minute: 9_801,
    before: &[(78, 1.0), (31, 2.0)],
    last_of_all: &[(30, 1.0)],
    last_quick: &[(27, 1.0), (3, 0.0)],
    slow: [(136, 0.0), (3, 1.0)],
    ratios: &[("3d", 0.0326)],
};

/// The total duration at the scrapes of [`HOURS`]. The last four take a fifth of the time, 56 of 280 s, the last two and
/// those before less.
const SUM: &str = "100+7x343 2522 2543 2550 2557";
const BUSY: f64 = 0.2;
/// The rate of the slow observations of [`HOURS`] in 5m.
const SLOW_RATE: f64 = 0.0107;
/// Seven of ten observations of 10m are quick.
const HALF_OF_ALL: f64 = 5.0 / 7.0;
/// 99 % of all, as a part of the slow ones.
const SLOWEST_OF_ALL: f64 = 2.9 / 3.0;
const IDLE: &str = "5x30";

/// The expected values of the recordings.
pub(super) fn recorded_values(context: &RuleContext<'_>) -> Vec<RecordedValues> {
    let mut values: Vec<_> = last_mode(context).into_iter().collect();
    if let Some(family) = context.linked.family(SUBSYSTEM_DURATION_SECONDS.name) {
        let series = HistogramSeries { family, level: "subsystem", labels: TRADING, bounds: ["1", "2"] };
        let busy = (format!("subsystem:{}:busy_ratio_5m", family.name), BUSY);
        let quantiles = [("p50", HALF_OF_ALL), ("p95", 1.8333)];
        values.extend(series.expected(context, quantiles, vec![busy], None));
    }
    if let Some(family) = context.linked.family(EXCHANGE_API_LATENCY_SECONDS.name) {
        let series = HistogramSeries { family, level: "operation", labels: TICKER, bounds: ["1", "1.5"] };
        let quantiles = [("p50", HALF_OF_ALL), ("p99", SLOWEST_OF_ALL.mul_add(0.5, 1.0))];
        values.extend(series.expected(
            context,
            quantiles,
            Vec::new(),
            SlowRatio::of_exchange(context).as_ref(),
        ));
        values.push(growing(context, family, "operation", TICKER, "_count"));
    }
    if let Some(family) = context.linked.family(EXCHANGE_API_REQUESTS_TOTAL.name) {
        let name = context.linked.without_namespace(family);
        let failing = |title: &str, quick: &str, slow: &str| {
            let bot = Scenario::new(context, title);
            let bot = bot.series(name, &with_label(TICKER, "outcome", "ok"), quick);
            bot.series(name, &with_label(TICKER, "outcome", "timeout"), slow)
        };
        for observed in [HOURS, DAYS] {
            let scenario = failing("the last calls fail", &observed.quick(), &observed.slow());
            let scenario = observed.placed(scenario);
            let labels = scenario.selector("exchange=\"paper\"");
            let ratio = |(window, ratio): &(&str, f64)| {
                (exchange_error_ratio(&family.name, window), Some((labels.clone(), *ratio)))
            };
            values.push(at(observed.minute, family, scenario, observed.ratios.iter().map(ratio).collect()));
        }
        let windows = [HOURS, DAYS].into_iter().flat_map(|observed| observed.ratios);
        let none = windows.map(|(window, _)| (exchange_error_ratio(&family.name, window), None));
        values.push(at(20, family, failing("no calls", IDLE, IDLE), none.collect()));
    }
    values.extend(orders(context));
    values.extend(own_values(context));
    values
}

/// The mode of a bot that runs.
fn last_mode(context: &RuleContext<'_>) -> Option<RecordedValues> {
    let identity = context.identity()?;
    let bot = Scenario::new(context, "a bot runs").standard(identity.name(), "", "1x9");
    let of_instance = bot.clone().with("app", "").with("env", "").selector("");
    let name = recorded_mode(context, &identity).name().to_owned();
    Some(RecordedValues {
        family: identity.name().to_owned(),
        scenario: bot,
        minute: 5,
        values: vec![(name, Some((of_instance, 1.0)))],
    })
}

/// The calls about orders of half an hour; three within 1750 s are 3.0857 within 1800 s.
fn orders(context: &RuleContext<'_>) -> Option<RecordedValues> {
    let orders = order_calls(context).filter(|orders| orders.window == HALF_HOUR)?;
    let family = context.linked.family(EXCHANGE_API_LATENCY_SECONDS.name)?;
    let calls = format!("{}_count", context.linked.without_namespace(family));
    let labels = format!("exchange=\"paper\",operation=\"{}\"", orders.operations[0]);
    let bot = Scenario::new(context, "orders are placed at last");
    let bot = HOURS.placed(bot.series(&calls, &labels, &HOURS.slow()));
    let of_instance = bot.clone().of_target().selector("");
    Some(at(HOURS.minute, family, bot, vec![(orders.recording.name, Some((of_instance, 3.0857)))]))
}

fn own_values(context: &RuleContext<'_>) -> Vec<RecordedValues> {
    let mut values = Vec::new();
    for family in context.own(Kind::Counter) {
        values.push(growing(context, family, &level(family), &sample_labels(family), ""));
    }
    for family in context.own(Kind::Histogram) {
        let (labels, level) = (sample_labels(family), level(family));
        let Some(bound) =
            family.objective.map(|objective| objective.threshold).or(family.buckets.first().copied())
        else {
            continue;
        };
        let bound = bound.get();
        let next = family.buckets.iter().map(|bucket| bucket.get()).find(|next| *next > bound);
        let bounds = [bound_in_text(bound), next.map_or_else(|| "+Inf".to_owned(), bound_in_text)];
        let bounds = [&*bounds[0], &*bounds[1]];
        let series = HistogramSeries { family, level: &level, labels: &labels, bounds };
        // Above the largest bound, a quantile is that bound.
        let high = next.map_or(bound, |next| (next - bound).mul_add(SLOWEST_OF_ALL, bound));
        let quantiles = [("p50", bound * HALF_OF_ALL), ("p99", high)];
        values.extend(series.expected(context, quantiles, Vec::new(), SlowRatio::of_own(family).as_ref()));
    }
    values
}

/// The rate of a counter, or of the part of a histogram that counts.
fn growing(
    context: &RuleContext<'_>,
    family: &LinkedFamily,
    level: &str,
    labels: &str,
    part: &str,
) -> RecordedValues {
    let name = format!("{}{part}", context.linked.without_namespace(family));
    let scenario = Scenario::new(context, "it grows at last").series(&name, labels, &HOURS.slow());
    let scenario = HOURS.placed(scenario);
    let name = format!("{level}:{}{part}:rate5m", family.name);
    let sample = Some((scenario.selector(labels), SLOW_RATE));
    at(HOURS.minute, family, scenario, vec![(name, sample)])
}

/// Labels of a series of the family: a possible value for each.
pub(super) fn sample_labels(family: &LinkedFamily) -> String {
    family.labels.iter().fold(String::new(), |labels, label| {
        let value = label.values.as_ref().and_then(|values| values.first()).map_or("one", String::as_str);
        with_label(&labels, &label.name, value)
    })
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
        let buckets = [(first, quick), (second, all), ("+Inf", all)];
        let buckets = if second == "+Inf" { &buckets[..2] } else { &buckets };
        scenario.buckets(name, self.labels, buckets)
    }

    /// A recorded quantile and its value, both multiplied if four digits are too few for them.
    fn quantile(&self, name: &str, value: f64) -> (String, f64) {
        let recorded = format!("{}:{}:{name}_10m", self.level, self.family.name);
        let digits = (-value.log10()).ceil();
        if digits <= 1.0 {
            return (recorded, rounded(value));
        }
        let factor = 10_f64.powf(digits).round();
        (format!("{recorded} * {factor}"), rounded(value * factor))
    }

    /// The values of its quantiles, further ones of each series, and ratios of all operations or labels.
    fn expected(
        &self,
        context: &RuleContext<'_>,
        quantiles: [(&str, f64); 2],
        further: Vec<(String, f64)>,
        slow: Option<&SlowRatio<'_>>,
    ) -> Vec<RecordedValues> {
        let quantiles = quantiles.map(|(name, value)| self.quantile(name, value));
        // A ratio has the labels that its sum leaves.
        let left = if self.level == "operation" { "exchange=\"paper\"" } else { "" };
        let mut of_idle: Vec<_> = quantiles.iter().map(|(name, _)| (name.clone(), None)).collect();
        let mut of_series: Vec<_> = quantiles.into_iter().chain(further).collect();
        let mut expected = Vec::new();
        for observed in [HOURS, DAYS] {
            let counts: [&str; 3] = [&observed.quick(), &observed.all(), SUM];
            let scenario = self.scenario(context, "the last observations are slow", counts);
            let scenario = observed.placed(scenario);
            let sample = |labels: &str, (name, value)| (name, Some((scenario.selector(labels), value)));
            let ratios = slow
                .iter()
                .flat_map(|slow| observed.ratios.iter().map(|(window, ratio)| (slow.name(window), *ratio)));
            let ratios: Vec<_> = ratios.collect();
            of_idle.extend(ratios.iter().map(|(name, _)| (name.clone(), None)));
            // The quantiles are of minutes.
            let of_series =
                std::mem::take(&mut of_series).into_iter().map(|value| sample(self.labels, value));
            let values: Vec<_> =
                of_series.chain(ratios.into_iter().map(|value| sample(left, value))).collect();
            if !values.is_empty() {
                expected.push(at(observed.minute, self.family, scenario.clone(), values));
            }
        }
        let idle = self.scenario(context, "nothing is observed", [IDLE; 3]);
        expected.push(at(20, self.family, idle, of_idle));
        expected
    }
}

impl Observations {
    fn all(&self) -> String {
        counts(&[&[START][..], self.before, self.last_of_all].concat())
    }

    fn quick(&self) -> String {
        counts(&[&[START][..], self.before, self.last_quick].concat())
    }

    fn slow(&self) -> String {
        counts(&[START, self.slow[0], self.slow[1]])
    }

    /// The scenario with the time between these observations.
    fn placed(&self, scenario: Scenario) -> Scenario {
        let scenario = scenario.every(self.step);
        if self.minute > HOURS.minute { scenario.long() } else { scenario }
    }
}

/// Rounded as the recorded values are.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
