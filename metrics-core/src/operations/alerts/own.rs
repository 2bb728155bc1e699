//! The bot's own families: a default set for each kind.

use super::budget::{Budget, burn};
use super::durations::above_scale;
use super::subsystems::warning;
use super::{Alert, Rule, Scenario, Urgency};
use crate::catalogue::Kind;
use crate::linked::LinkedFamily;
use crate::operations::context::{NOTICE, RuleContext};
use crate::operations::promql::{bound_in_text, bucket};
use crate::operations::scale::MINUTE;
use crate::operations::{recorded_values, recording};

pub(super) fn alerts(context: &RuleContext<'_>) -> Vec<Alert> {
    [objective_burn(context), off_the_scale(context), not_finite(context)].into_iter().flatten().collect()
}

/// The family's own label, and its value in an alert.
fn metric(family: &LinkedFamily) -> (&'static str, String) {
    ("metric", family.name.clone())
}

/// One alert from the rules of several families; `None` without one.
fn combined(
    name: &'static str,
    [summary, description]: [&'static str; 2],
    rules: Vec<Rule>,
    scenarios: Vec<Scenario>,
) -> Option<Alert> {
    (!rules.is_empty()).then_some(Alert { name, rules, summary, description, scenarios })
}

fn objective_burn(context: &RuleContext<'_>) -> Option<Alert> {
    let (mut rules, mut scenarios) = (Vec::new(), Vec::new());
    for family in context.own(Kind::Histogram) {
        let Some(objective) = family.objective else { continue };
        let threshold = objective.threshold.get();
        let [of_all, of_buckets] = [&[][..], &["le"]].map(|further| recording::without(family, further));
        let series = context.of_job(&family.name);
        let (all, within) = (series.part("_count"), series.part("_bucket").with(bucket(threshold)));
        let budget = Budget {
            ratio: Box::new(|window| context.of_job(recording::own_slow_ratio(family, window))),
            bad: Box::new(move |window| {
                format!(
                    "{of_all} (increase({all}[{window}]))\n    - {of_buckets} (increase({within}[{window}]))"
                )
            }),
            allowed: 1.0 - objective.ratio.get(),
            labels: vec![metric(family)],
        };
        rules.extend(burn(context, &budget));
        let name = context.linked.without_namespace(family);
        let labels = recorded_values::sample_labels(family);
        scenarios.extend(budget.scenarios(context, "", |bot, all, good, _| {
            let comma = if labels.is_empty() { "" } else { "," };
            let bot = bot.series(&format!("{name}_count"), &labels, all);
            let bucket = |bot: Scenario, bound: &str, values: &str| {
                bot.series(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"{bound}\""), values)
            };
            bucket(bucket(bot, "+Inf", all), &bound_in_text(threshold), good)
        }));
    }
    combined(
        "BotObjectiveBudgetBurn",
        [
            "{{ $labels.metric }} at {{ $labels.instance }} misses its objective ({{ $labels.window }} window).",
            "Too many observations are above the threshold that the bot's code declares. The declaration in metrics! \
             says what it measures.",
        ],
        rules,
        scenarios,
    )
}

fn off_the_scale(context: &RuleContext<'_>) -> Option<Alert> {
    let (mut rules, mut scenarios) = (Vec::new(), Vec::new());
    let window = context.window(NOTICE);
    for family in context.own(Kind::Histogram) {
        let Some(last) = family.buckets.last() else { continue };
        rules.push(Rule {
            expr: above_scale(&context.of_job(&family.name), bucket(last.get()), &window),
            hold: 5 * MINUTE,
            urgency: Urgency::Inform,
            labels: vec![metric(family)],
        });
        let (name, labels) =
            (context.linked.without_namespace(family), recorded_values::sample_labels(family));
        let comma = if labels.is_empty() { "" } else { "," };
        let last = bound_in_text(last.get());
        let observed = |title: &str, below: &str, all: &str| {
            let bot = Scenario::new(context, title).series(&format!("{name}_count"), &labels, all);
            bot.series(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"{last}\""), below)
        };
        let expected = format!("{labels}{comma}metric=\"{}\"", family.name);
        scenarios.extend([
            observed("one in twenty is above the largest bucket, then none", "0+19x30 570+20x60", "0+20x90")
                .fires([20], &expected)
                .silent([50]),
            observed("three in four hundred are above it", "0+397x60", "0+400x60").silent([30]),
            observed("nine in eight hundred are above it", "0+791x60", "0+800x60").fires([30], &expected),
            observed("two are above it, and few others are observed", "0x60", "0x10 1x5 2x50")
                .silent([20, 25, 28]),
            observed("three are above it, and no others are observed", "0x60", "0x10 3x50")
                .silent([14])
                .fires([20], &expected),
            observed("nothing is observed", "5x60", "5x60").silent([30]),
        ]);
    }
    combined(
        "BotOwnHistogramOffTheScale",
        [
            "More than 1 % of {{ $labels.metric }} at {{ $labels.instance }} is above its largest bucket.",
            "Its quantiles are not known. Declare larger buckets, or find out why the values are so large.",
        ],
        rules,
        scenarios.into_iter().map(super::events::info).collect(),
    )
}

fn not_finite(context: &RuleContext<'_>) -> Option<Alert> {
    let (mut rules, mut scenarios) = (Vec::new(), Vec::new());
    for family in context.own(Kind::Gauge) {
        let gauge = context.of_job(&family.name);
        rules.push(Rule {
            expr: format!("({gauge} != {gauge}) or (abs({gauge}) == Inf)"),
            hold: 5 * MINUTE,
            urgency: Urgency::Warn,
            labels: vec![metric(family)],
        });
        let (name, labels) =
            (context.linked.without_namespace(family), recorded_values::sample_labels(family));
        let comma = if labels.is_empty() { "" } else { "," };
        let expected = format!("{labels}{comma}metric=\"{}\"", family.name);
        let gauge = |title: &str, values: &str| Scenario::new(context, title).series(name, &labels, values);
        scenarios.extend([
            gauge("not a number, then one again", "1 1 1 NaN NaN NaN NaN NaN NaN NaN NaN NaN 1x9")
                .silent([7])
                .fires([10], &expected)
                .silent([15]),
            gauge("infinite", "Inf Inf Inf Inf Inf Inf Inf").fires([6], &expected),
            gauge("minus infinity", "-Inf -Inf -Inf -Inf -Inf -Inf -Inf").fires([6], &expected),
            gauge("large", "1000000000x20").silent([10]),
        ]);
    }
    combined(
        "BotOwnGaugeNotFinite",
        [
            "{{ $labels.metric }} at {{ $labels.instance }} is not a finite number.",
            "Alerts that compare it cannot fire. Likely causes: a division by zero, or a price that was never read.",
        ],
        rules,
        scenarios.into_iter().map(warning).collect(),
    )
}
