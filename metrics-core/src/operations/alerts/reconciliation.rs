//! Whether the bot and the exchange agree on open orders and positions.

use super::events::GrowingCounter;
use super::subsystems::{deliberately_quiet, quiet_window, succeeded};
use super::{Alert, AlertList, Scenario, Urgency};
use crate::catalogue::{
    RECONCILIATION_MISMATCHES_TOTAL, RECONCILIATION_MISSING_ITEMS_COUNT, SUBSYSTEM_LAST_RUN_TIMESTAMP,
    SUBSYSTEM_MAX_AGE_SECONDS,
};
use crate::operations::context::{NOTICE, RuleContext};
use crate::operations::scale::MINUTE;

/// The number of new mismatches within a quarter of an hour that is no coincidence.
const STORM: u64 = 20;

/// The age of the last comparison above which its result says nothing about now, in seconds.
const BLIND: u64 = 15 * MINUTE;

pub(super) const ALERTS: &AlertList = &[mismatch, storm, items_missing, blind];

const MISMATCHES: &str = "reconciliation_mismatches_total";

fn mismatch(context: &RuleContext<'_>) -> Option<Alert> {
    let mismatches = context.series(&RECONCILIATION_MISMATCHES_TOTAL)?;
    Some(Alert::new(
        "BotReconciliationMismatch",
        Urgency::Warn,
        0,
        context.grew(&mismatches, &[], NOTICE),
        GrowingCounter::of(NOTICE, MISMATCHES, "", "").scenarios(context),
    ))
}

fn storm(context: &RuleContext<'_>) -> Option<Alert> {
    let mismatches = context.series(&RECONCILIATION_MISMATCHES_TOTAL)?;
    let grew = context.grew(&mismatches, &[], NOTICE);
    let bot = |title: &str, values: &str| {
        Scenario::new(context, title).of_prometheus("up", "1x130").series(MISMATCHES, "", values)
    };
    let scenarios = [
        bot("twenty at once", "7x20 27x40").silent([21, 25]),
        bot("forty-five within an hour", "0+0.75x120").silent([60]),
    ];
    let storm = GrowingCounter { growth: STORM + 1, ..GrowingCounter::of(NOTICE, MISMATCHES, "", "") };
    Some(Alert::new(
        "BotReconciliationStorm",
        Urgency::Page,
        0,
        // Half of one more, because `increase` extrapolates.
        format!("(\n{grew}\n) > {STORM}.5"),
        storm.scenarios(context).into_iter().chain(scenarios),
    ))
}

fn items_missing(context: &RuleContext<'_>) -> Option<Alert> {
    let missing = context.series(&RECONCILIATION_MISSING_ITEMS_COUNT)?;
    let orphan = "source=\"db\"";
    let bot = |title: &str, values: &str| {
        let bot = Scenario::new(context, title).series("reconciliation_missing_items_count", orphan, values);
        bot.series("reconciliation_missing_items_count", "source=\"exchange\"", "0x99")
    };
    let scenarios = [
        bot("an order stays unknown to the database, then is found", "0x3 1x12 0x9")
            .silent([13])
            .fires([14, 16], orphan)
            .silent([17]),
        bot("an order is found by the next cycles", "0x3 1x8 0x9").silent([11, 14]),
    ];
    Some(Alert::new(
        "BotReconciliationItemsMissing",
        Urgency::Page,
        10 * MINUTE,
        format!("{missing} > 0"),
        scenarios,
    ))
}

/// The gauge of missing items keeps its last value while no cycle is committed, so that it looks healthy.
fn blind(context: &RuleContext<'_>) -> Option<Alert> {
    let name = "reconciliation";
    let matcher = format!("subsystem=\"{name}\"");
    // Only a bot that reconciles.
    context.series(&RECONCILIATION_MISSING_ITEMS_COUNT)?;
    let last_run = context.series_with(&SUBSYSTEM_LAST_RUN_TIMESTAMP, "subsystem", name)?.with(&matcher);
    let max_age = context.series(&SUBSYSTEM_MAX_AGE_SECONDS)?;
    let limit = context.scale.seconds(BLIND);
    let quiet = deliberately_quiet(context, context.max_age(name))?;
    let quiet_minutes = quiet_window(context.max_age(name)).div_ceil(MINUTE);
    let expr = format!("timestamp({last_run}) - {last_run} > clamp_min({max_age}, {limit})\n{quiet}");
    let bot = |title: &str, last: &str, max_ages: &str| succeeded(context, title, &matcher, last, max_ages);
    let rest = 59 + quiet_minutes;
    let old = format!("60x{}", 40 + rest);
    let max_age_of_old = format!("90x{}", 40 + rest);
    let skipped = format!("{matcher},outcome=\"skipped\"");
    let scenarios = [
        bot("cycles fail for a quarter of an hour, then one succeeds", "60x20 1260+60x20", "90x40")
            .series("subsystem_paused", &matcher, "0x40")
            .silent([16])
            .fires([17, 20], &matcher)
            .silent([22]),
        bot("a cycle an hour", "60x99", "3600x99").silent([30, 61]).fires([63], &matcher),
        bot("paused", "60x99", "90x99").series("subsystem_paused", &matcher, "1x99").silent([40]),
        bot("resumed after forty minutes", &old, &max_age_of_old)
            .series("subsystem_paused", &matcher, &format!("1x40 0x{rest}"))
            .silent([40 + quiet_minutes])
            .fires([42 + quiet_minutes], &matcher),
        bot("skipped", "60x99", "90x99").series("subsystem_runs_total", &skipped, "0+1x99").silent([40]),
        bot("failing", "60x99", "90x99")
            .series("subsystem_runs_total", &format!("{matcher},outcome=\"error\""), "0+1x99")
            .fires([40], &matcher),
        bot("not skipped any more", &old, &max_age_of_old)
            .series("subsystem_runs_total", &skipped, &format!("0+1x10 10x{rest}"))
            .silent([8 + quiet_minutes])
            .fires([12 + quiet_minutes], &matcher),
        succeeded(context, "another loop is old", "subsystem=\"monitor\"", "60x99", "90x99").silent([40]),
    ];
    Some(Alert::new("BotReconciliationBlind", Urgency::Page, 0, expr, scenarios))
}
