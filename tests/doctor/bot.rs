//! The bot of these tests, and its page.

use std::sync::OnceLock;

use bot_metrics::prelude::*;
use bot_metrics::{Metrics, Symbol};

#[timed_subsystem("trading", every = "5s")]
fn trade() -> Result<(), std::io::Error> {
    place()
}

#[exchange_call(op = "place_order", exchange = "paper")]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

#[exchange_call(op = "cancel_order", exchange = "paper")]
fn cancel() -> Result<(), std::io::Error> {
    Ok(())
}

#[capital_check(profile = "maker")]
fn check_capital() -> Capital {
    Capital::default()
}

metrics! {
    /// Time from a quote to its acknowledgement.
    histogram quote_seconds { venue: Symbol } buckets(0.05, 0.25, 1)
}

pub(crate) fn settings() -> Settings {
    Settings::new(Mode::Paper).app("desk")
}

fn metrics() -> &'static Metrics {
    static BOT: OnceLock<Metrics> = OnceLock::new();
    BOT.get_or_init(|| {
        let metrics = settings().install().expect("the only instance");
        trade().expect("no error");
        // The profile is known, and its violations are exported as 0, before its capital was ever checked.
        drop(metrics.profile("maker"));
        metrics
    })
}

/// A page of the bot after one cycle, in which no order was cancelled.
pub(crate) fn page() -> String {
    static PAGE: OnceLock<String> = OnceLock::new();
    PAGE.get_or_init(|| metrics().exposition()).clone()
}

/// The page without the lines that have this text.
pub(crate) fn page_without(text: &str) -> String {
    let lines: Vec<_> =
        page().lines().filter(|line| !line.contains(text)).map(|line| format!("{line}\n")).collect();
    assert!(lines.len() < page().lines().count(), "no line has {text}");
    lines.concat()
}

/// The page with a text in the place of another.
pub(crate) fn page_with(text: &str, replacement: &str) -> String {
    assert!(page().contains(text), "the page has no {text}:\n{}", page());
    page().replace(text, replacement)
}

#[test]
fn a_bot_that_is_well_has_no_violation_and_no_improvement() {
    let output = super::doctor_on(
        &super::Answer::page(page()),
        &["--level", "improvement", "--fail-on", "improvement"],
    );
    assert_eq!(output.code, 0, "{}", output.text);
    let counts = "annotated functions: 2 exercised, 2 never exercised, 0 absent\n";
    assert!(output.text.ends_with(counts), "{}", output.text);
    // A bot has no reason to call it before an order has to be cancelled.
    assert_eq!(cancel().ok(), Some(()));
    assert_eq!(check_capital(), Capital::default());
}
