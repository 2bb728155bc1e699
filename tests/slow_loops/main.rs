//! A bot all of whose loops are paced in minutes and hours: its rules have other windows, and pass their scenarios.

#![expect(dead_code, reason = "a call site is linked even if its function is never called")]

use std::io;

use bot_metrics::catalogue;
use bot_metrics::labels::Exchange;
use bot_metrics::prelude::*;
use bot_metrics_tests::process::{needing, succeeds};

#[path = "../servers/scenarios.rs"]
mod scenarios;

#[timed_subsystem("trading", every = "20m")]
fn trade() {}

#[timed_subsystem("monitor", max_age = "6m")]
fn watch() {}

#[timed_subsystem("reconciliation", every = "2h")]
#[reconciliation]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::new()
}

#[exchange_call(op = "place_order")]
fn place() -> Result<(), io::Error> {
    Ok(())
}

fn settings() -> Settings {
    Settings::new(Mode::Live)
        .app("slow")
        .exchange(Exchange::Paper)
        .expect_families([&catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS])
}

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let is_here = succeeds("promtool", &["--version"]);
    let pass = || scenarios::pass(&settings());
    let test = needing("promtool", is_here, "rules_for_slow_loops_pass_their_scenarios", pass);
    libtest_mimic::run(&arguments, vec![test]).exit();
}
