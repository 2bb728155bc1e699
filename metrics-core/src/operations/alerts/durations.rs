//! Whether the cycles of the loops take too long.
//!
//! A loop that is paced in minutes runs too rarely for a quantile, and may take longer than the largest bucket: it is
//! judged by the mean of its cycles, in proportion to its maximum age.

use super::subsystems::warning;
use super::{Alert, Rule, Scenario, TRADING, Urgency};
use crate::catalogue::SUBSYSTEM_DURATION_SECONDS;
use crate::operations::context::{NOTICE, RuleContext};
use crate::operations::promql::{any_of, bucket, equal};
use crate::operations::recording;
use crate::operations::scale::MINUTE;

/// The duration of a cycle above which it is slow, in seconds.
const SLOW: u64 = 5;

/// A cycle of a loop that is paced in minutes is slow above its maximum age, divided by this.
const PART_OF_MAX_AGE: u64 = 10;

/// The largest bound of the duration's buckets, in seconds, above which no quantile is known.
const OFF_THE_SCALE: f64 = 10.0;

/// The number of cycles below which a ratio or a quantile means nothing.
const FEW: u64 = 3;

/// The matcher of the loops that are not paced in minutes; `None` if there are no others.
fn quick_paced(context: &RuleContext<'_>) -> Option<String> {
    let slow: Vec<_> = context.slow_paced().into_keys().collect();
    (!slow.is_empty()).then(|| any_of("subsystem", "!~", &slow))
}

pub(super) fn slow(context: &RuleContext<'_>) -> Option<Alert> {
    let p95 = recording::subsystem_p95(context)?;
    let duration = context.name(&SUBSYSTEM_DURATION_SECONDS)?;
    let window = context.window(10 * MINUTE);
    let loops = braced(quick_paced(context).as_slice());
    let rule = |expr| Rule { expr, hold: 10 * MINUTE, urgency: Urgency::Warn, labels: Vec::new() };
    let quick_paced =
        rule(format!("{p95}{loops} > {SLOW} and increase({duration}_count{loops}[{window}]) >= {FEW}"));
    let runs = |title: &str, quick: &str, all: &str| {
        durations(context, title, TRADING, &[("5", quick), ("10", all)], all)
    };
    let mut scenarios = vec![
        runs("cycles become slow and quick again", "0+10x9 90x30 90+10x40", "0+10x80")
            .silent([9])
            .fires([29, 39], TRADING)
            .silent([60]),
        runs("one cycle in a hundred is slow", "0+99x60", "0+100x60").silent([50]),
        runs("two slow cycles a day", "0x60", "0x5 2x55").silent([8, 16, 30]),
        runs("three slow cycles within ten minutes, again and again", "0x60", "0+0.375x60")
            .fires([40], TRADING),
        runs("less than two slow cycles within ten minutes, again and again", "0x60", "0+0.1875x60")
            .silent([40]),
        runs("an idle loop", "5x60", "5x60").silent([30]),
    ];
    let mut rules = vec![quick_paced];
    for (name, max_age) in context.slow_paced() {
        rules.push(rule(slow_mean(context, &duration, name, max_age)));
        scenarios.extend(slow_means(context, name, max_age));
    }
    Some(Alert {
        name: "BotSubsystemSlow",
        rules,
        summary: "Cycles of the loop {{ $labels.subsystem }} of {{ $labels.instance }} are slow.",
        description: "p95 is above 5 s; for a loop that is paced in minutes, the mean is above a tenth of its maximum \
                      age. Likely causes: a slow exchange (see BotExchangeSlow), waiting for a rate limit, a slow \
                      database, or a machine without free CPU.",
        scenarios: scenarios.into_iter().map(warning).collect(),
    })
}

/// The mean duration above which a cycle of a loop with this maximum age is slow, in seconds.
fn slow_from(max_age: u64) -> u64 {
    SLOW.max(max_age / PART_OF_MAX_AGE)
}

fn slow_mean(context: &RuleContext<'_>, duration: &str, name: &str, max_age: u64) -> String {
    let (of_loop, window) = (equal("subsystem", name), context.cycles(10 * MINUTE, 2 * max_age));
    let increase = |part: &str| format!("increase({duration}_{part}{{{of_loop}}}[{window}])");
    let (sum, count) = (increase("sum"), increase("count"));
    format!("{sum} / ({count} > 0) > {}\nand {count} >= {FEW}", slow_from(max_age))
}

/// A loop that takes more and less than a tenth of its maximum age, with a cycle in a third of it.
fn slow_means(context: &RuleContext<'_>, name: &str, max_age: u64) -> Vec<Scenario> {
    let (of_loop, slow) = (equal("subsystem", name), slow_from(max_age));
    let minutes = |cycles: u64| (cycles * max_age).div_ceil(3 * MINUTE);
    let bot = |title: &str, counts: &str, sums: &str| {
        let bot = durations(context, title, &of_loop, &[("10", "0x60")], counts).every(max_age.div_ceil(3));
        bot.series("subsystem_duration_seconds_sum", &of_loop, sums)
    };
    let title = |what: &str| format!("{what} of {name}, every {} s", max_age.div_ceil(3));
    vec![
        bot(&title("cycles"), "0+1x60", &format!("0+{}x20 {}+1x39", slow + 1, 20 * (slow + 1)))
            .silent([minutes(2)])
            .fires([minutes(18)], &of_loop)
            .silent([minutes(40)]),
        bot(&title("cycles that are not slow"), "0+1x60", &format!("0+{}x60", slow - 1))
            .silent([minutes(30)]),
        bot(&title("two long cycles"), "0x20 1 2x39", &format!("0x20 {} {}x39", 9 * slow, 18 * slow))
            .silent([minutes(22), minutes(25), minutes(40)]),
    ]
}

pub(super) fn off_the_scale(context: &RuleContext<'_>) -> Option<Alert> {
    let duration = context.name(&SUBSYSTEM_DURATION_SECONDS)?;
    let (window, bound) = (context.window(NOTICE), bucket(OFF_THE_SCALE));
    let expr = above_scale(&duration, quick_paced(context), bound, &window);
    let runs = |title: &str, of_loop: &str, below: &str, all: &str| {
        durations(context, title, of_loop, &[("10", below)], all)
    };
    let mut scenarios = vec![
        runs(
            "one cycle in twenty takes longer than 10 s, then none",
            TRADING,
            "0+19x30 570+20x60",
            "0+20x90",
        )
        .fires([20], TRADING)
        .silent([50]),
        runs("three cycles in four hundred take longer", TRADING, "0+397x60", "0+400x60").silent([30]),
        runs("nine cycles in eight hundred take longer", TRADING, "0+791x60", "0+800x60")
            .fires([30], TRADING),
        runs("two long cycles, and few others", TRADING, "0x60", "0x10 1x5 2x50").silent([20, 25, 28]),
        runs("three long cycles, and no others", TRADING, "0x60", "0x10 3x50")
            .silent([14])
            .fires([20], TRADING),
        runs("an idle loop", TRADING, "5x60", "5x60").silent([30]),
    ];
    for (name, _) in context.slow_paced() {
        let title = format!("long cycles of {name}, which is paced in minutes");
        scenarios.push(runs(&title, &equal("subsystem", name), "0x60", "0+1x60").silent([30]));
    }
    Some(Alert::new(
        "BotSubsystemOffTheScale",
        Urgency::Warn,
        5 * MINUTE,
        expr,
        [
            "More than 1 % of the cycles of {{ $labels.subsystem }} at {{ $labels.instance }} take longer than 10 s.",
            "Quantiles above the largest bucket are not known. Likely causes: a call without a timeout, or work that \
             belongs into a loop of its own.",
        ],
        scenarios.into_iter().map(warning).collect::<Vec<_>>(),
    ))
}

/// More than 1 % of the observations of a histogram, and more than two, are above the bucket of `bound`. Half of one is
/// allowed for, because `increase` extrapolates.
pub(super) fn above_scale(histogram: &str, matcher: Option<String>, bound: String, window: &str) -> String {
    let all = braced(matcher.as_slice());
    let of_bucket = braced(&matcher.into_iter().chain([bound]).collect::<Vec<_>>());
    let count = format!("increase({histogram}_count{all}[{window}])");
    format!(
        "{count} - sum without (le) (increase({histogram}_bucket{of_bucket}[{window}]))\n\
         > clamp_min(0.01 * {count}, 2.5)"
    )
}

/// The matchers in braces, if there are any.
fn braced(matchers: &[String]) -> String {
    if matchers.is_empty() { String::new() } else { format!("{{{}}}", matchers.join(", ")) }
}

/// A loop with these cumulative counts of buckets, and of all cycles.
fn durations(
    context: &RuleContext<'_>,
    title: &str,
    of_loop: &str,
    buckets: &[(&str, &str)],
    all: &str,
) -> Scenario {
    let mut bot = Scenario::new(context, title).series("subsystem_duration_seconds_count", of_loop, all);
    for (bound, values) in buckets.iter().chain([&("+Inf", all)]) {
        let labels = format!("{of_loop},le=\"{bound}\"");
        bot = bot.series("subsystem_duration_seconds_bucket", &labels, values);
    }
    bot
}
