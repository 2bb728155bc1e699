//! Whether the loops run, succeed and keep up.

use super::{Alert, AlertList, Rule, Scenario, TRADING, Urgency, durations};
use crate::catalogue::{
    SUBSYSTEM_ALIVE, SUBSYSTEM_LAST_RUN_TIMESTAMP, SUBSYSTEM_MAX_AGE_SECONDS, SUBSYSTEM_PAUSED,
    SUBSYSTEM_RUNS_TOTAL,
};
use crate::operations::context::{NOTICE, Pace, RuleContext};
use crate::operations::promql::equal;
use crate::operations::scale::MINUTE;

pub(super) const ALERTS: &AlertList =
    &[stalled, stale_by_clock, never_succeeded, flapping, durations::slow, durations::off_the_scale];

const OTHER: &str = "subsystem=\"monitor\"";

fn alive(context: &RuleContext<'_>, title: &str, values: &str) -> Scenario {
    let bot = Scenario::new(context, title).series("subsystem_alive", TRADING, values);
    bot.series("subsystem_alive", OTHER, "1x99")
}

fn stalled(context: &RuleContext<'_>) -> Option<Alert> {
    let alive_name = context.series(&SUBSYSTEM_ALIVE)?;
    let scenarios = [
        alive(context, "a loop hangs and recovers", "1x3 0x4 1x9")
            .silent([3])
            .fires([6], TRADING)
            .silent([9]),
        alive(context, "a loop is late once", "1x3 0 1x9").silent([3, 4, 5]),
        Scenario::new(context, "a loop of a bot on paper hangs")
            .with("mode", "paper")
            .series("subsystem_alive", TRADING, "0x9")
            .fires([4], "subsystem=\"trading\",severity=\"warning\""),
    ];
    Some(Alert::new("BotSubsystemStalled", Urgency::Page, MINUTE, format!("{alive_name} == 0"), scenarios))
}

/// A second opinion, which does not trust the bot's own watchdog. It does not apply while a loop is paused or skips its
/// cycles, because then the timestamp does not move although all is well.
fn stale_by_clock(context: &RuleContext<'_>) -> Option<Alert> {
    let last_run = context.series(&SUBSYSTEM_LAST_RUN_TIMESTAMP)?;
    let max_age = context.series(&SUBSYSTEM_MAX_AGE_SECONDS)?;
    let rule = |pace: &Pace| {
        let (last_run, quiet) = (pace.of(&last_run), deliberately_quiet(context, pace.max_age)?);
        // At the time of the scrape: until the next one, a quick loop may have had several cycles.
        let expr = format!("timestamp({last_run}) - ({last_run} > 0) > {max_age}\n{quiet}");
        Some(Rule::new(Urgency::Page, MINUTE, expr))
    };
    let slow_paced = context.slow_paced().into_keys().filter(|name| *name != "trading");
    let scenarios = ["trading"].into_iter().chain(slow_paced).flat_map(|name| stale_loop(context, name));
    Some(Alert::of_rules(
        "BotSubsystemStaleByClock",
        context.paces().iter().map(rule).collect::<Option<_>>()?,
        scenarios,
    ))
}

/// A loop with these times of its last success, and these maximum ages.
pub(super) fn succeeded(
    context: &RuleContext<'_>,
    title: &str,
    of_loop: &str,
    last: &str,
    max_ages: &str,
) -> Scenario {
    let bot = Scenario::new(context, title).series("subsystem_last_run_timestamp", of_loop, last);
    bot.series("subsystem_max_age_seconds", of_loop, max_ages)
}

/// The scenarios of one loop, in most of which its maximum age is two minutes.
fn stale_loop(context: &RuleContext<'_>, name: &str) -> Vec<Scenario> {
    let of_loop = &*equal("subsystem", name);
    let aged = |title: &str, last: &str, max_age: u64| {
        succeeded(context, &format!("{title}: {name}"), of_loop, last, &format!("{max_age}x99"))
    };
    let bot = |title: &str, last: &str| aged(title, last, 120);
    let runs = |outcome: &str| format!("{of_loop},outcome=\"{outcome}\"");
    let mut scenarios = vec![
        bot("successes end and come back", "60x1 120x5 480+60x30")
            .series("subsystem_paused", of_loop, "0x40")
            .silent([3, 4])
            .fires([6], of_loop)
            .silent([9]),
        bot("the last success is as old as allowed, not older", "0+60x30").silent([20]),
        bot("paused for the night", "60x60").series("subsystem_paused", of_loop, "1x60").silent([20]),
        bot("cycles are skipped while the market is closed", "60x99")
            .series("subsystem_runs_total", &runs("skipped"), "0+1x99")
            .silent([20, 60]),
        bot("cycles fail", "60x99")
            .series("subsystem_runs_total", &runs("error"), "0+1x99")
            .fires([20], of_loop),
        bot("never a success", "0x99").silent([20]),
        aged("scraped once in fourteen seconds, every three seconds a success", "-1+14x99", 3)
            .every(14)
            .silent([10, 12, 20]),
    ];
    scenarios.extend(quiet_loop(context, name));
    scenarios
}

/// A loop that is resumed, or no longer skips its cycles, and that has time for a cycle before the alert fires.
fn quiet_loop(context: &RuleContext<'_>, name: &str) -> [Scenario; 2] {
    let of_loop = equal("subsystem", name);
    let minutes = quiet_window(context.max_age(name)).div_ceil(MINUTE);
    let rest = 89 + minutes;
    let [last, max_ages] = [60, 120].map(|value| format!("{value}x{}", 10 + rest));
    let bot = |title: &str| succeeded(context, &format!("{title}: {name}"), &of_loop, &last, &max_ages);
    let skips = format!("{of_loop},outcome=\"skipped\"");
    [
        bot("resumed, but no cycle succeeds")
            .series("subsystem_paused", &of_loop, &format!("1x10 0x{rest}"))
            .silent([9, 10 + minutes])
            .fires([13 + minutes], &of_loop),
        bot("cycles are not skipped any more")
            .series("subsystem_runs_total", &skips, &format!("0+1x10 10x{rest}"))
            .silent([9, 8 + minutes])
            .fires([13 + minutes], &of_loop),
    ]
}

/// The window of [`deliberately_quiet`] in seconds, without a time scale, for loops with this maximum age.
pub(super) fn quiet_window(max_age: u64) -> u64 {
    NOTICE.max(2 * max_age)
}

/// Excludes the loops that are paused, or whose cycles are skipped, on purpose. A loop with this maximum age that is
/// resumed has time for a cycle before the age of its last success counts again.
pub(super) fn deliberately_quiet(context: &RuleContext<'_>, max_age: u64) -> Option<String> {
    let paused = context.series(&SUBSYSTEM_PAUSED)?;
    let skipped = context.series(&SUBSYSTEM_RUNS_TOTAL)?.with("outcome=\"skipped\"");
    let window = context.cycles(NOTICE, 2 * max_age);
    Some(format!(
        "unless max_over_time({paused}[{window}]) == 1\n\
         unless sum without (outcome) (increase({skipped}[{window}])) > 0"
    ))
}

fn never_succeeded(context: &RuleContext<'_>) -> Option<Alert> {
    let alive_name = context.series(&SUBSYSTEM_ALIVE)?;
    let last_run = context.series(&SUBSYSTEM_LAST_RUN_TIMESTAMP)?;
    let scenarios = [
        alive(context, "no cycle succeeds since the start, then one does", "1x1 0x12 1x9")
            .series("subsystem_last_run_timestamp", TRADING, "_x13 800+60x9")
            .silent([6])
            .fires([8, 12], TRADING)
            .silent([15]),
        alive(context, "a loop stalls that succeeded before", "0x20")
            .series("subsystem_last_run_timestamp", TRADING, "60x20")
            .silent([10]),
        alive(context, "another loop succeeded", "0x20")
            .series("subsystem_last_run_timestamp", OTHER, "60x20")
            .fires([10], TRADING),
        alive(context, "a timestamp of 0 is no success", "0x20")
            .series("subsystem_last_run_timestamp", TRADING, "0x20")
            .fires([10], TRADING),
        alive(context, "no success yet, but within the age", "1x20").silent([10]),
    ];
    Some(Alert::new(
        "BotSubsystemNeverSucceeded",
        Urgency::Page,
        5 * MINUTE,
        format!("({alive_name} == 0) unless ({last_run} > 0)"),
        scenarios,
    ))
}

fn flapping(context: &RuleContext<'_>) -> Option<Alert> {
    let alive_name = context.series(&SUBSYSTEM_ALIVE)?;
    let window = context.window(30 * MINUTE);
    let scenarios = [
        alive(context, "a loop stalls and recovers again and again", "1 0 1 0 1 0 1 0 1x60")
            .silent([6])
            .fires([7, 20], TRADING)
            .silent([45]),
        alive(context, "three stalls within half an hour", "1 0 1 0 1 0 1x60").silent([6, 20]),
        alive(context, "four stalls within two hours", "1x10 0x20 1x20 0x20 1x20 0x20 1x20 0x20")
            .silent([120]),
    ];
    Some(Alert::new(
        "BotSubsystemFlapping",
        Urgency::Warn,
        0,
        format!("changes({alive_name}[{window}]) > 6"),
        scenarios,
    ))
}
