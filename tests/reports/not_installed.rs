//! Recordings of attributes without installed settings are reported once, for every kind of call site.

use std::io::Read;
use std::process::Stdio;

use bot_metrics::prelude::*;
use bot_metrics::testing::report_missing_install_at_once;

use crate::{CALLED, bot, is_bot, output};

bot_metrics::metrics! {
    /// Signals.
    counter signals_total { subsystem: labels::Subsystem }
}

#[timed_subsystem("monitor")]
fn cycle() {}

#[exchange_call(op = "place_order", exchange = "kraken")]
fn call() {}

#[operational_event(type = "STARTED", severity = "INFO")]
fn event() {}

#[capital_check(profile = "maker")]
fn capital() -> Capital {
    Capital::default()
}

#[reconciliation]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::new()
}

#[counted(signals_total, subsystem = labels::Subsystem::Trading)]
fn signal() {}

/// The call sites by name, with the beginning of their report.
const SITES: [(&str, fn(), &str); 6] = [
    ("cycle", cycle, "reports::not_installed::cycle (tests/reports/not_installed.rs:16)"),
    ("call", call, "reports::not_installed::call (tests/reports/not_installed.rs:19)"),
    ("event", event, "reports::not_installed::event (tests/reports/not_installed.rs:22)"),
    ("capital", || _ = capital(), "reports::not_installed::capital (tests/reports/not_installed.rs:25)"),
    (
        "reconcile",
        || drop(reconcile()),
        "reports::not_installed::reconcile (tests/reports/not_installed.rs:30)",
    ),
    ("signal", signal, "signals_total, declared in reports::not_installed (tests/reports/not_installed.rs:"),
];

const SITE: &str = "BOT_METRICS_TEST_SITE";

/// The standard error of a bot that calls the site of this name.
fn lines(site: &str, test: &str) -> String {
    let mut bot = bot(test).env(SITE, site).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = String::new();
    bot.stderr.take().expect("piped").read_to_string(&mut lines).expect("text");
    output(bot);
    lines
}

#[test]
fn a_recording_long_after_the_first_is_reported_once_with_its_location() {
    if is_bot() {
        let site = std::env::var(SITE).expect("it is given");
        let (_, record, _) = SITES.into_iter().find(|(name, ..)| *name == site).expect("one of them");
        (0..3).for_each(|_| record());
        report_missing_install_at_once();
        (0..3).for_each(|_| record());
        return;
    }
    for (site, _, begins) in SITES {
        let lines =
            lines(site, "not_installed::a_recording_long_after_the_first_is_reported_once_with_its_location");
        assert_eq!(lines.lines().count(), 1, "{site}: {lines:?}");
        assert!(lines.starts_with(&format!("bot-metrics: {begins}")), "{lines}");
        assert!(lines.contains("Call `Settings::from_env()?.install()?` at the start of `main`"), "{lines}");
    }
}

#[test]
fn a_recording_before_install_and_soon_after_the_first_is_not() {
    if is_bot() {
        for (_, record, _) in &SITES {
            record();
        }
        return;
    }
    let test = "not_installed::a_recording_before_install_and_soon_after_the_first_is_not";
    assert_eq!(lines("", test), "");
}

#[test]
fn an_allocator_that_records_reports_too() {
    if is_bot() {
        report_missing_install_at_once();
        CALLED.set(Some(call));
        let allocation = std::hint::black_box(Box::new(7));
        CALLED.set(None);
        drop(allocation);
        return;
    }
    let lines = lines("", "not_installed::an_allocator_that_records_reports_too");
    assert_eq!(lines.lines().count(), 1, "{lines:?}");
    assert!(lines.starts_with("bot-metrics: reports::not_installed::call "), "{lines}");
}
