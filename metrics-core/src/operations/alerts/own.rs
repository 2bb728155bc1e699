//! The bot's own families: a default set for each kind.

use super::budget::{Budget, BurnScenarios, slow_series};
use super::durations::{above_scale, above_scale_scenarios};
use super::{Alert, AlertList, Rule, Scenario, Urgency, with_label};
use crate::catalogue::Kind;
use crate::linked::LinkedFamily;
use crate::operations::context::{NOTICE, RuleContext};
use crate::operations::promql::{bound_in_text, bucket, equal};
use crate::operations::recorded_values::sample_labels;
use crate::operations::recording::SlowRatio;
use crate::operations::scale::MINUTE;

pub(super) const ALERTS: &AlertList = &[objective_burn, off_the_scale, not_finite];

/// A series of one of the bot's own families in scenarios.
struct SampleSeries<'a> {
    /// The name of the family without the namespace.
    name: &'a str,
    labels: String,
    /// The labels of its alerts.
    expected: String,
}

impl<'a> SampleSeries<'a> {
    fn of(context: &RuleContext<'_>, family: &'a LinkedFamily) -> Self {
        let (name, labels) = (context.linked.without_namespace(family), sample_labels(family));
        Self { name, expected: with_label(&labels, "metric", &family.name), labels }
    }
}

/// One alert from the rules and scenarios of several families; `None` without one.
fn combined(
    name: &'static str,
    of_families: impl Iterator<Item = (Vec<Rule>, Vec<Scenario>)>,
) -> Option<Alert> {
    let (rules, scenarios): (Vec<_>, Vec<_>) = of_families.unzip();
    let rules: Vec<_> = rules.into_iter().flatten().collect();
    (!rules.is_empty()).then(|| Alert::of_rules(name, rules, scenarios.into_iter().flatten()))
}

fn objective_burn(context: &RuleContext<'_>) -> Option<Alert> {
    let of_family = |family: &LinkedFamily| {
        let slow = SlowRatio::of_own(family)?;
        let SampleSeries { name, labels, .. } = SampleSeries::of(context, family);
        let labels_of_rules = vec![("metric", family.name.clone())];
        let budget = Budget { labels: labels_of_rules, ..Budget::of_slow(context, &slow) };
        let series = slow_series(name, &labels, slow.objective.threshold.get());
        // The ratio is summed over the family's own labels.
        let expected = equal("metric", &family.name);
        let scenarios = BurnScenarios { context, budget: &budget, labels: &expected, series }.all();
        Some((budget.rules(context), scenarios))
    };
    combined("BotObjectiveBudgetBurn", context.own(Kind::Histogram).filter_map(of_family))
}

fn off_the_scale(context: &RuleContext<'_>) -> Option<Alert> {
    let window = context.window(NOTICE);
    let titles = [
        "one in twenty is above the largest bucket, then none",
        "three in four hundred are above it",
        "nine in eight hundred are above it",
        "two are above it, and few others are observed",
        "three are above it, and no others are observed",
        "nothing is observed",
    ];
    let of_family = |family: &LinkedFamily| {
        let last = family.buckets.last()?.get();
        let expr = above_scale(&context.of_job(&family.name), bucket(last), &window);
        let rule = Rule::new(Urgency::Inform, 5 * MINUTE, expr).with("metric", &family.name);
        let SampleSeries { name, labels, expected } = SampleSeries::of(context, family);
        let observed = |title: &str, below: &str, all: &str| {
            let bot = Scenario::new(context, title).series(&format!("{name}_count"), &labels, all);
            bot.buckets(name, &labels, &[(&bound_in_text(last), below)])
        };
        Some((vec![rule], above_scale_scenarios(titles, &expected, observed).into()))
    };
    combined("BotOwnHistogramOffTheScale", context.own(Kind::Histogram).filter_map(of_family))
}

fn not_finite(context: &RuleContext<'_>) -> Option<Alert> {
    let of_family = |family: &LinkedFamily| {
        let gauge = context.of_job(&family.name);
        let expr = format!("({gauge} != {gauge}) or (abs({gauge}) == Inf)");
        let rule = Rule::new(Urgency::Warn, 5 * MINUTE, expr).with("metric", &family.name);
        let SampleSeries { name, labels, expected } = SampleSeries::of(context, family);
        let gauge = |title: &str, values: &str| Scenario::new(context, title).series(name, &labels, values);
        let scenarios = vec![
            gauge("not a number, then one again", "1 1 1 NaN NaN NaN NaN NaN NaN NaN NaN NaN 1x9")
                .silent([7])
                .fires([10], &expected)
                .silent([15]),
            gauge("infinite", "Inf Inf Inf Inf Inf Inf Inf").fires([6], &expected),
            gauge("minus infinity", "-Inf -Inf -Inf -Inf -Inf -Inf -Inf").fires([6], &expected),
            gauge("large", "1000000000x20").silent([10]),
        ];
        (vec![rule], scenarios)
    };
    combined("BotOwnGaugeNotFinite", context.own(Kind::Gauge).map(of_family))
}
