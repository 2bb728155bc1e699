//! Cycles of subsystems.

use std::future::{Future, pending};
use std::io;
use std::task::{Context, Waker};

use bot_metrics::prelude::*;

use crate::labels;
use crate::seen::{metrics, panics, samples};

fn cancel(future: impl Future) {
    let mut future = Box::pin(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[timed_subsystem("cycle", every = "5s")]
fn cycle(value: Result<u8, ()>) -> Result<u8, ()> {
    if value == Ok(0) {
        panic!("in a cycle");
    }
    value
}

#[timed_subsystem("cycle", every = "5s")]
async fn cancelled_cycle() {
    pending().await
}

#[timed_subsystem("deadline", every = "5s")]
async fn late_cycle() {
    pending().await
}

/// The slowest cycles are those ended by a deadline: without them durations would look better during an outage. A
/// future dropped otherwise, for example at shutdown, is no measure of the duration of cycles.
#[test]
fn a_cycle_that_a_deadline_ends_is_observed_as_a_timeout_and_one_that_is_merely_dropped_is_not() {
    let metrics = metrics();
    let deadline = async { std::thread::sleep(std::time::Duration::from_millis(150)) };
    let mut late = Box::pin(bot_metrics::with_deadline(deadline, late_cycle()));
    assert!(late.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready(), "it elapsed");
    assert_eq!(["timeout", "cancelled"].map(|outcome| runs("deadline", outcome)), [1.0, 0.0]);
    assert_eq!(observed("deadline"), 1.0);
    let sum = samples().sum("bytelyst_bot_subsystem_duration_seconds_sum", &[("subsystem", "deadline")]);
    assert!(sum >= 0.15, "up to the deadline: {sum} s");
    cancel(late_cycle());
    assert_eq!(["timeout", "cancelled"].map(|outcome| runs("deadline", outcome)), [1.0, 1.0]);
    assert_eq!(observed("deadline"), 1.0);
    let last_run = "bytelyst_bot_subsystem_last_run_timestamp";
    assert_eq!(samples().value(last_run, &[("subsystem", "deadline")]), None);
    // Through a handle too.
    metrics.subsystem(labels::Subsystem::Deadline).start().finish(Outcome::Timeout);
    assert_eq!(observed("deadline"), 2.0);
}

fn runs(subsystem: &str, outcome: &str) -> f64 {
    samples().sum("bytelyst_bot_subsystem_runs_total", &[("subsystem", subsystem), ("outcome", outcome)])
}

fn observed(subsystem: &str) -> f64 {
    samples().sum("bytelyst_bot_subsystem_duration_seconds_count", &[("subsystem", subsystem)])
}

#[test]
fn cycles_that_end_are_observed_and_only_a_success_is_a_last_run() {
    metrics();
    let last_run = || samples().value("bytelyst_bot_subsystem_last_run_timestamp", &[("subsystem", "cycle")]);
    assert!(cycle(Err(())).is_err());
    panics(|| cycle(Ok(0)));
    cancel(cancelled_cycle());
    assert_eq!(last_run(), None);
    assert!(cycle(Ok(1)).is_ok());
    assert!(last_run().is_some());
    assert_eq!(observed("cycle"), 3.0);
    let runs = ["ok", "error", "panic", "cancelled"].map(|outcome| runs("cycle", outcome));
    assert_eq!(runs, [1.0, 1.0, 1.0, 1.0]);
    assert_eq!(samples().value("bytelyst_bot_subsystem_in_progress", &[("subsystem", "cycle")]), Some(0.0));
}

#[timed_subsystem("observing", on_cancel = "observe")]
async fn observing() {
    pending().await
}

#[test]
fn cancelled_cycles_are_observed_with_on_cancel() {
    metrics();
    cancel(observing());
    assert_eq!((runs("observing", "cancelled"), observed("observing")), (1.0, 1.0));
}

#[timed_subsystem("optional", every = "5s", optional)]
fn optional() {}

#[timed_subsystem("paused_only", every = "5s", optional)]
fn paused_only() {}

#[timed_subsystem("plain")]
fn never_runs() {}

#[test]
fn an_optional_subsystem_counts_from_its_first_run() {
    metrics();
    let alive = |subsystem| samples().value("bytelyst_bot_subsystem_alive", &[("subsystem", subsystem)]);
    assert_eq!((alive("optional"), alive("plain")), (None, Some(1.0)));
    optional();
    assert_eq!(alive("optional"), Some(1.0));
    metrics().subsystem(labels::Subsystem::PausedOnly).pause("not in this mode");
    assert_eq!(alive("paused_only"), None, "pausing through a handle does not mean that it runs");
    paused_only();
    assert_eq!(alive("paused_only"), Some(1.0));
    let _ = never_runs;
}

#[timed_subsystem("skipping")]
async fn skipping(skip: bool) -> Outcome {
    std::future::ready(()).await;
    if skip { Outcome::Skipped } else { Outcome::Ok }
}

#[test]
fn a_skipped_cycle_is_not_observed() {
    metrics();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(skipping(true)), Outcome::Skipped);
    assert_eq!(runtime.block_on(skipping(false)), Outcome::Ok);
    assert_eq!((runs("skipping", "skipped"), runs("skipping", "ok"), observed("skipping")), (1.0, 1.0, 1.0));
}

#[timed_subsystem("fallible", every = "5s")]
fn fallible(end: Result<Outcome, io::ErrorKind>) -> io::Result<Outcome> {
    Ok(end?)
}

#[timed_subsystem("unclassed", every = "5s")]
async fn unclassed(end: Result<Outcome, ()>) -> Result<Outcome, ()> {
    end
}

#[test]
fn a_cycle_that_can_fail_can_be_skipped_too() {
    metrics();
    let kinds = [Ok(Outcome::Skipped), Ok(Outcome::Ok), Ok(Outcome::Rejected), Err(io::ErrorKind::TimedOut)];
    for end in kinds {
        let _ = fallible(end);
    }
    let counted = ["skipped", "ok", "rejected", "timeout"].map(|outcome| runs("fallible", outcome));
    assert_eq!((counted, observed("fallible")), ([1.0; 4], 3.0));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for end in [Ok(Outcome::Skipped), Err(())] {
        let _ = runtime.block_on(unclassed(end));
    }
    assert_eq!(["skipped", "error"].map(|outcome| runs("unclassed", outcome)), [1.0; 2]);
}
