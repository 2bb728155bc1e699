//! Operational events, and the growth of counters.

use super::{Alert, AlertList, Scenario, Urgency};
use crate::catalogue::{OPERATIONAL_EVENTS_TOTAL, PROCESS_START_TIME_SECONDS};
use crate::operations::context::{NOTICE, RuleContext};
use crate::operations::promql::equal;
use crate::operations::scale::MINUTE;

pub(super) const ALERTS: &AlertList = &[errors, critical, order_failures];

const EVENTS: &str = "operational_events_total";

/// The start of a process, seconds before the scenario begins.
const LONG_AGO: &str = "-9999x99";

/// A counter whose growth within a window has an alert.
pub(super) struct GrowingCounter<'a> {
    /// The window in seconds.
    pub(super) window: u64,
    pub(super) family: &'a str,
    /// The labels of its series.
    pub(super) labels: &'a str,
    /// The growth for which the alert fires.
    pub(super) growth: u64,
    /// The minutes for which the growth must have been noticed.
    pub(super) hold: u64,
    /// The labels of the alert.
    pub(super) expected: &'a str,
}

impl<'a> GrowingCounter<'a> {
    /// A counter with these labels, of which any growth within a window has an alert with the labels `expected`.
    pub(super) fn of(window: u64, family: &'a str, labels: &'a str, expected: &'a str) -> Self {
        Self { window, family, labels, growth: 1, hold: 0, expected }
    }

    pub(super) fn scenarios(&self, context: &RuleContext<'_>) -> Vec<Scenario> {
        let Self { growth, expected, .. } = self;
        let minutes = self.window / MINUTE;
        let (soon, last, later) = (22 + self.hold, 19 + minutes, 23 + minutes);
        let start = context.series(&PROCESS_START_TIME_SECONDS);
        let bot = |title: &str, up: &str, started: &str, values: &str| {
            let bot = Scenario::new(context, title).of_prometheus("up", up);
            let bot = bot.series(self.family, self.labels, values);
            match &start {
                Some(start) => bot.standard(start.name(), "", started),
                None => bot,
            }
        };
        let born = format!("_x21 {growth}x79");
        let mut scenarios = vec![
            bot("it grows once", "1x99", LONG_AGO, &format!("0x20 {growth}x79"))
                .silent([20])
                .fires([soon, last], expected)
                .silent([later]),
            bot("it begins with this value", "1x99", LONG_AGO, &born)
                .silent([20])
                .fires([soon, last], expected)
                .silent([later]),
            bot(
                "it begins soon after Prometheus did",
                &format!("_x{} 1x79", 21_u64.saturating_sub(minutes)),
                LONG_AGO,
                &born,
            )
            .fires([soon], expected),
            bot(
                "Prometheus was down for an hour",
                "1x5 _x60 1x30",
                "-9999x5 _x60 -9999x30",
                &format!("{old}x5 _x60 {old}x30", old = 3 * growth),
            )
            .silent([5, 67, 70, 65 + minutes]),
            bot("it does not grow", "1x99", LONG_AGO, &format!("{}x99", 5 * growth)).silent([2, 30]),
            bot("it begins at 0", "1x99", LONG_AGO, "_x21 0x79").silent([soon]),
        ];
        if start.is_some() {
            let unseen = |title: &str, started: u64| {
                let started = format!("_x21 {started}x79");
                bot(title, "_x21 1x79", &started, &format!("_x21 {}x79", 2 * growth))
            };
            let fresh = unseen("it grows between the start and the first scrape", 1200);
            scenarios.push(fresh.fires([soon, last], expected).silent([later]));
            // One and a half windows before the first look.
            let started = 22 * MINUTE + 30 - self.window * 3 / 2;
            scenarios.push(unseen("the bot ran for long before the first scrape", started).silent([soon]));
        }
        scenarios
    }
}

/// The labels of an event of no profile and symbol.
fn event(severity: &str, kind: &str) -> String {
    format!("severity=\"{severity}\",type=\"{kind}\",profile_id=\"\",symbol=\"\"")
}

fn errors(context: &RuleContext<'_>) -> Option<Alert> {
    let events = context.series_with(&OPERATIONAL_EVENTS_TOTAL, "severity", "ERROR")?;
    let grew = context.grew(&events, &[equal("severity", "ERROR")], 5 * MINUTE);
    let failures = event("ERROR", "API_FAILURE");
    let bot = |title: &str, values: &str| {
        Scenario::new(context, title).of_prometheus("up", "1x99").series(EVENTS, &failures, values)
    };
    let scenarios = [
        bot("six errors of two types, then none", "0x20 4x79")
            .series(EVENTS, &event("ERROR", "ORDER_FAILURE"), "0x20 3x79")
            .silent([20])
            .fires([23], "")
            .silent([29]),
        bot("five errors, scraped every 14 s", "9x85 14x160").every(14).silent([21, 22, 24]),
        bot("six errors, scraped every 14 s", "9x85 15x160").every(14).fires([23], ""),
        Scenario::new(context, "many warnings")
            .of_prometheus("up", "1x99")
            .series(EVENTS, &event("WARNING", "API_FAILURE"), "0x20 40x79")
            .silent([23]),
        bot("an error every three minutes", "0+0.34x99").silent([60]),
        bot("errors of a symbol that is new, and one more", "_x21 5x2 6x79").silent([23]).fires([25], ""),
    ];
    let errors =
        GrowingCounter { growth: 6, hold: 1, ..GrowingCounter::of(5 * MINUTE, EVENTS, &failures, "") };
    Some(Alert::new(
        "BotErrorEvents",
        Urgency::Warn,
        MINUTE,
        // At least six: `increase` extrapolates.
        format!("sum without (severity, type, profile_id, symbol) (\n{grew}\n) > 5.5"),
        errors.scenarios(context).into_iter().chain(scenarios),
    ))
}

fn critical(context: &RuleContext<'_>) -> Option<Alert> {
    let events = context.series_with(&OPERATIONAL_EVENTS_TOTAL, "severity", "CRITICAL")?;
    let grew = context.grew(&events, &[equal("severity", "CRITICAL")], NOTICE);
    let labels = "type=\"CIRCUIT_BREAKER\",profile_id=\"maker\"";
    let series = format!("{labels},severity=\"CRITICAL\",symbol=\"BTCUSDT\"");
    let counter = GrowingCounter::of(NOTICE, EVENTS, &series, labels);
    let error = format!("{labels},severity=\"ERROR\",symbol=\"\"");
    let bot = Scenario::new(context, "an error, which is not critical").of_prometheus("up", "1x99");
    let error = bot.series(EVENTS, &error, "0x20 9x79").silent([23]);
    Some(Alert::new(
        "BotCriticalEvent",
        Urgency::Page,
        0,
        format!("sum without (severity, symbol) (\n{grew}\n)"),
        counter.scenarios(context).into_iter().chain([error]),
    ))
}

/// Rejects are left out: a healthy market maker has a tenth of its post-only orders rejected.
fn order_failures(context: &RuleContext<'_>) -> Option<Alert> {
    let events = context.series_with(&OPERATIONAL_EVENTS_TOTAL, "type", "ORDER_FAILURE")?;
    context.series_with(&OPERATIONAL_EVENTS_TOTAL, "type", "ORDER_PLACED")?;
    let count = |types: &str| {
        let grew = context.grew(&events, &[types.to_owned()], NOTICE);
        format!("sum without (severity, type, profile_id, symbol) (\n{grew}\n)")
    };
    let failed = count("type=\"ORDER_FAILURE\"");
    let all = count("type=~\"ORDER_PLACED|ORDER_FAILURE\"");
    let bot = |title: &str, [placed, failed, rejected]: [&str; 3]| {
        Scenario::new(context, title)
            .of_prometheus("up", "1x130")
            .series(EVENTS, &event("INFO", "ORDER_PLACED"), placed)
            .series(EVENTS, &event("INFO", "ORDER_FAILURE"), failed)
            .series(EVENTS, &event("INFO", "ORDER_REJECTED"), rejected)
    };
    let scenarios = [
        bot("a quarter of the orders fails, then none", ["0+6x60 360+8x60", "0+2x60 120x60", "0+9x120"])
            .fires([30], "")
            .silent([80]),
        bot("a sixth of the orders fails", ["0+10x60", "0+2x60", "0x60"]).silent([30]),
        bot("four orders fail, and no other is placed", ["0x60", "0x20 4x40", "0x60"]).silent([25, 30]),
        bot("half of the orders is rejected", ["0+4x60", "0x60", "0+4x60"]).silent([30]),
        bot("six orders fail at once", ["0+1x60", "0x20 6x40", "0x60"])
            .silent([22])
            .fires([24, 32], "")
            .silent([40]),
        bot("six orders of a symbol that is new fail", ["0+1x60", "_x21 6x40", "_x21 60x40"])
            .fires([24, 32], "")
            .silent([40]),
        bot("six of forty orders of a symbol that is new fail", ["_x21 34x40", "0x20 6x40", "0x60"])
            .silent([24, 30]),
    ];
    let failure = event("ERROR", "ORDER_FAILURE");
    let failures = GrowingCounter { growth: 6, hold: 2, ..GrowingCounter::of(NOTICE, EVENTS, &failure, "") };
    Some(Alert::new(
        "BotOrderFailureRatio",
        Urgency::Page,
        2 * MINUTE,
        // 4.5 because of rounding by `increase`: at least five.
        format!("{failed}\n> clamp_min(\n0.2 * {all}, 4.5)"),
        failures.scenarios(context).into_iter().chain(scenarios),
    ))
}
