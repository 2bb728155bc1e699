//! Whether the cycles of the loops take too long.
//!
//! A loop that is paced in minutes runs too rarely for a quantile, and may take longer than the largest bucket: it is
//! judged by the mean of its cycles, in proportion to its maximum age.

use super::{Alert, Rule, Scenario, Urgency};
use crate::catalogue::SUBSYSTEM_DURATION_SECONDS;
use crate::operations::context::{NOTICE, RuleContext};
use crate::operations::promql::{SeriesSelector, bucket, equal};
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

/// A loop that is not paced in minutes.
fn quick_loop(context: &RuleContext<'_>) -> String {
    let slow = context.slow_paced();
    let name = ["trading", "monitor"].into_iter().find(|name| !slow.contains_key(name));
    equal("subsystem", name.unwrap_or("another"))
}

pub(super) fn slow(context: &RuleContext<'_>) -> Option<Alert> {
    let duration = context.series(&SUBSYSTEM_DURATION_SECONDS)?;
    // Longer than the window of the quantile or mean, so that it takes more than one cycle, such as one that hung.
    let longer = 5 * MINUTE;
    let quick = context.quick_pace();
    let (p95, count) =
        (quick.of(&recording::subsystem_p95(context, &duration)), quick.of(&duration.part("_count")));
    // It contains so many cycles of each loop that is in time.
    let window = context.cycles(10 * MINUTE, FEW * quick.max_age);
    let quick_paced = format!("{p95} > {SLOW} and increase({count}[{window}]) >= {FEW}");
    let of_loop = &*quick_loop(context);
    let runs = |title: &str, quick: &str, all: &str| {
        durations(context, title, of_loop, &[("5", quick), ("10", all)], all)
    };
    let mut scenarios = vec![
        runs("cycles become slow and quick again", "0+10x9 90x30 90+10x40", "0+10x80")
            .silent([9])
            .fires([29, 39], of_loop)
            .silent([60]),
        runs("one cycle in a hundred is slow", "0+99x60", "0+100x60").silent([50]),
        runs("one cycle of a minute's pace hung for half an hour", "0+1x9 9x30 9+1x40", "0+1x9 9x29 10+1x41")
            .silent([44, 49, 50, 55]),
        runs("two slow cycles a day", "0x60", "0x5 2x55").silent([8, 16, 30]),
        runs("three slow cycles within ten minutes, again and again", "0x60", "0+0.375x60")
            .fires([40], of_loop),
        runs("less than two slow cycles within ten minutes, again and again", "0x60", "0+0.1875x60")
            .silent([40]),
        runs("an idle loop", "5x60", "5x60").silent([30]),
    ];
    let mut rules = vec![Rule::new(Urgency::Warn, 10 * MINUTE + longer, quick_paced)];
    for (name, max_age) in context.slow_paced() {
        let rule = Rule::new(Urgency::Warn, longer, slow_mean(context, &duration, name, max_age));
        rules.push(Rule { hold_for_cycles: mean_window(max_age), ..rule });
        scenarios.extend(slow_means(context, name, max_age));
    }
    Some(Alert::of_rules("BotSubsystemSlow", rules, scenarios))
}

/// The mean duration above which a cycle of a loop with this maximum age is slow, in seconds.
fn slow_from(max_age: u64) -> u64 {
    SLOW.max(max_age / PART_OF_MAX_AGE)
}

/// The window of the mean, in seconds. No time scale divides it.
fn mean_window(max_age: u64) -> u64 {
    FEW * max_age
}

fn slow_mean(context: &RuleContext<'_>, duration: &SeriesSelector, name: &str, max_age: u64) -> String {
    let (of_loop, window) = (equal("subsystem", name), context.cycles(0, mean_window(max_age)));
    let increase = |series: &SeriesSelector| format!("increase({series}[{window}])");
    // The counts of other loops have no sum to match.
    let (sum, count) = (increase(&duration.part("_sum").with(of_loop)), increase(&duration.part("_count")));
    format!("{sum} / {count} > {}\nand {count} >= {FEW}", slow_from(max_age))
}

/// A loop that takes more and less than a tenth of its maximum age, with a cycle in a third of it.
fn slow_means(context: &RuleContext<'_>, name: &str, max_age: u64) -> Vec<Scenario> {
    let (of_loop, slow) = (equal("subsystem", name), slow_from(max_age));
    let minutes = |cycles: u64| (cycles * max_age).div_ceil(3 * MINUTE);
    let bot = |title: &str, counts: &str, sums: &str| {
        let title = format!("{title} of {name}, every {} s", max_age.div_ceil(3));
        let bot = durations(context, &title, &of_loop, &[("10", "0x60")], counts).every(max_age.div_ceil(3));
        bot.series("subsystem_duration_seconds_sum", &of_loop, sums)
    };
    // Each cycle ends nine tenths of the maximum age after the one before.
    let just_in_time =
        |growth: u64| (0..9).map(|cycle| format!("{}x8", cycle * growth)).collect::<Vec<_>>().join(" ");
    let tight = bot("cycles that are just in time", &just_in_time(1), &just_in_time(slow + 1));
    let other = quick_loop(context);
    vec![
        bot("no cycles", "0x60", "0x60")
            .series("subsystem_duration_seconds_count", &other, "0+9x60")
            .series("subsystem_duration_seconds_sum", &other, &format!("0+{}x60", 9 * (slow + 1)))
            .silent([minutes(30)]),
        bot(
            "long cycles, of which too few",
            "0x17 1x17 2x17 3x17",
            &format!("0x17 {}x17 {}x17 {}x17", 9 * slow, 18 * slow, 27 * slow),
        )
        .every(max_age.div_ceil(10))
        .silent([(13 * max_age).div_ceil(2 * MINUTE), (7 * max_age).div_ceil(MINUTE)]),
        tight.every(max_age.div_ceil(10)).fires([(7 * max_age).div_ceil(MINUTE)], &of_loop),
        bot("cycles", "0+1x60", &format!("0+{}x20 {}+1x39", slow + 1, 20 * (slow + 1)))
            .silent([minutes(2)])
            .fires([minutes(18)], &of_loop)
            .silent([minutes(40)]),
        bot("cycles of which one hung", "0+1x60", &format!("0x20 {}x39", 20 * slow)).silent([
            minutes(22),
            minutes(27),
            minutes(29),
            minutes(40),
        ]),
        bot("cycles that are not slow", "0+1x60", &format!("0+{}x60", slow - 1)).silent([minutes(30)]),
        bot("two long cycles", "0x20 1 2x39", &format!("0x20 {} {}x39", 9 * slow, 18 * slow)).silent([
            minutes(22),
            minutes(25),
            minutes(40),
        ]),
    ]
}

pub(super) fn off_the_scale(context: &RuleContext<'_>) -> Option<Alert> {
    let duration = context.quick_pace().of(&context.series(&SUBSYSTEM_DURATION_SECONDS)?);
    let expr = above_scale(&duration, bucket(OFF_THE_SCALE), &context.window(NOTICE));
    let of_loop = &*quick_loop(context);
    let runs = |of_loop: &str, title: &str, below: &str, all: &str| {
        durations(context, title, of_loop, &[("10", below)], all)
    };
    let titles = [
        "one cycle in twenty takes longer than 10 s, then none",
        "three cycles in four hundred take longer",
        "nine cycles in eight hundred take longer",
        "two long cycles, and few others",
        "three long cycles, and no others",
        "an idle loop",
    ];
    let runs_quick = |title: &str, below: &str, all: &str| runs(of_loop, title, below, all);
    let mut scenarios = above_scale_scenarios(titles, of_loop, runs_quick).to_vec();
    for (name, _) in context.slow_paced() {
        let title = format!("long cycles of {name}, which is paced in minutes");
        scenarios.push(runs(&equal("subsystem", name), &title, "0x60", "0+1x60").silent([30]));
    }
    Some(Alert::new("BotSubsystemOffTheScale", Urgency::Warn, 5 * MINUTE, expr, scenarios))
}

/// More than 1 % of the observations of a histogram, and more than two, are above the bucket of `bound`. Half of one is
/// allowed for, because `increase` extrapolates.
pub(super) fn above_scale(histogram: &SeriesSelector, bound: String, window: &str) -> String {
    let within = histogram.part("_bucket").with(bound);
    let count = format!("increase({}[{window}])", histogram.part("_count"));
    format!(
        "{count} - sum without (le) (increase({within}[{window}]))\n\
         > clamp_min(0.01 * {count}, 2.5)"
    )
}

/// The scenarios of [`above_scale`] with these titles, each of which `observed` makes from its title, the observations
/// within the bound, and all. `alert` are the labels of the alert.
pub(super) fn above_scale_scenarios(
    titles: [&str; 6],
    alert: &str,
    observed: impl Fn(&str, &str, &str) -> Scenario,
) -> [Scenario; 6] {
    let [some, few, enough, few_of_a_quiet_bot, enough_of_a_quiet_bot, idle] = titles;
    [
        observed(some, "0+19x30 570+20x60", "0+20x90").fires([20], alert).silent([50]),
        observed(few, "0+397x60", "0+400x60").silent([30]),
        observed(enough, "0+791x60", "0+800x60").fires([30], alert),
        observed(few_of_a_quiet_bot, "0x60", "0x10 1x5 2x50").silent([20, 25, 28]),
        observed(enough_of_a_quiet_bot, "0x60", "0x10 3x50").silent([14]).fires([20], alert),
        observed(idle, "5x60", "5x60").silent([30]),
    ]
}

/// A loop with these cumulative counts of buckets, and of all cycles.
fn durations(
    context: &RuleContext<'_>,
    title: &str,
    of_loop: &str,
    buckets: &[(&str, &str)],
    all: &str,
) -> Scenario {
    let bot = Scenario::new(context, title).series("subsystem_duration_seconds_count", of_loop, all);
    let bot = bot.buckets("subsystem_duration_seconds", of_loop, buckets);
    bot.buckets("subsystem_duration_seconds", of_loop, &[("+Inf", all)])
}
