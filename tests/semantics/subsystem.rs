use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bot_metrics::labels::Subsystem;
use bot_metrics::testing::{ManualClock, Samples, instance, with_manual_clock};
use bot_metrics::{Metrics, Mode, Outcome, Settings, SubsystemHandle};

const TRADING: &[(&str, &str)] = &[("subsystem", "trading")];
const ALIVE: &str = "bytelyst_bot_subsystem_alive";
const LAST_RUN: &str = "bytelyst_bot_subsystem_last_run_timestamp";
const DURATION_COUNT: &str = "bytelyst_bot_subsystem_duration_seconds_count";
const IN_PROGRESS: &str = "bytelyst_bot_subsystem_in_progress";

/// Records to each family of this file, for the tests of the whole catalogue.
pub(crate) fn record(metrics: &Metrics) {
    metrics.subsystem(Subsystem::Trading).start().finish(Outcome::Ok);
}

fn trading(max_age: u64) -> (Metrics, ManualClock, SubsystemHandle) {
    let (metrics, clock) = instance();
    let trading =
        metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(max_age)).expect("the first");
    (metrics, clock, trading)
}

fn value(metrics: &Metrics, name: &str) -> Option<f64> {
    Samples::of(metrics).value(name, TRADING)
}

fn runs(metrics: &Metrics, outcome: &str) -> f64 {
    let labels = [("subsystem", "trading"), ("outcome", outcome)];
    Samples::of(metrics).value("bytelyst_bot_subsystem_runs_total", &labels).expect("each outcome is 0")
}

#[test]
fn registered_and_never_run_it_is_alive_for_its_grace_and_has_no_last_run() {
    let (metrics, clock, _trading) = trading(5);
    assert_eq!(value(&metrics, ALIVE), Some(1.0));
    assert_eq!(value(&metrics, LAST_RUN), None, "absent, since 0 would page at once");
    assert_eq!(value(&metrics, DURATION_COUNT), Some(0.0));
    clock.advance(Duration::from_secs(5));
    assert_eq!(value(&metrics, ALIVE), Some(1.0), "not older than the allowed age");
    clock.advance(Duration::from_millis(1));
    assert_eq!(value(&metrics, ALIVE), Some(0.0));
}

#[test]
fn each_outcome_changes_the_families_in_the_table_of_outcomes() {
    // outcome; whether the duration is observed; whether it counts as a sign of life; whether it sets the last run
    let table = [
        (Outcome::Ok, true, true, true),
        (Outcome::Error, true, false, false),
        (Outcome::Rejected, true, false, false),
        (Outcome::Timeout, true, false, false),
        (Outcome::Panic, true, false, false),
        (Outcome::Cancelled, false, false, false),
        (Outcome::Skipped, false, true, false),
    ];
    for (outcome, observed, freshens, sets_last_run) in table {
        let (metrics, clock, trading) = trading(5);
        clock.advance(Duration::from_secs(6));
        trading.start().finish(outcome);
        assert_eq!(value(&metrics, DURATION_COUNT), Some(f64::from(u8::from(observed))), "{outcome:?}");
        assert_eq!(value(&metrics, ALIVE), Some(f64::from(u8::from(freshens))), "{outcome:?}");
        assert_eq!(value(&metrics, LAST_RUN).is_some(), sets_last_run, "{outcome:?}");
        assert_eq!(runs(&metrics, bot_metrics::LabelValue::as_str(outcome)), 1.0, "{outcome:?}");
        assert_eq!(value(&metrics, IN_PROGRESS), Some(0.0), "{outcome:?}");
    }
}

#[test]
fn a_guard_dropped_without_an_outcome_is_cancelled_and_one_dropped_by_a_panic_is_a_panic() {
    let (metrics, _, trading) = trading(5);
    drop(trading.start());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _run = trading.start();
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!((runs(&metrics, "cancelled"), runs(&metrics, "panic")), (1.0, 1.0));
    assert_eq!(value(&metrics, IN_PROGRESS), Some(0.0));
}

#[test]
fn an_age_of_zero_is_refused_and_changes_nothing() {
    let (metrics, _) = instance();
    let handle = || metrics.subsystem(Subsystem::Trading);
    let line = line!() + 1;
    for refused in [handle().with_period(Duration::ZERO), handle().with_max_age(Duration::ZERO)] {
        let text = refused.expect_err("it would never be alive").to_string();
        let expected = format!("subsystem trading is given a period or age of 0 s at {}:{line},", file!());
        assert!(text.starts_with(&expected), "{text}");
    }
    assert!(handle().with_max_age(Duration::from_nanos(1)).is_ok(), "none was set before");
}

#[test]
fn a_hung_run_cannot_keep_the_subsystem_alive() {
    let (metrics, clock, trading) = trading(5);
    trading.start().finish(Outcome::Ok);
    let last_run = value(&metrics, LAST_RUN);
    let run = trading.start();
    clock.advance(Duration::from_secs(6));
    assert_eq!(value(&metrics, ALIVE), Some(0.0));
    assert_eq!(value(&metrics, IN_PROGRESS), Some(1.0));
    assert_eq!(value(&metrics, LAST_RUN), last_run, "frozen meanwhile");
    run.finish(Outcome::Ok);
    assert_eq!(value(&metrics, ALIVE), Some(1.0));
}

#[test]
fn durations_are_monotonic_time_and_freshness_counts_suspend() {
    let (metrics, clock, trading) = trading(5);
    let run = trading.start();
    clock.advance(Duration::from_millis(300));
    clock.suspend(Duration::from_hours(1));
    run.finish(Outcome::Ok);
    assert_eq!(value(&metrics, "bytelyst_bot_subsystem_duration_seconds_sum"), Some(0.3));
    assert_eq!(value(&metrics, ALIVE), Some(1.0));
    clock.suspend(Duration::from_hours(1));
    assert_eq!(value(&metrics, ALIVE), Some(0.0), "a machine that slept is not fresh");
}

#[test]
fn a_suspend_before_the_first_scrape_is_detected() {
    let (metrics, clock, trading) = trading(60);
    clock.advance(Duration::from_secs(5));
    trading.start().finish(Outcome::Ok);
    clock.advance(Duration::from_secs(5));
    clock.suspend(Duration::from_hours(1));
    clock.advance(Duration::from_secs(5));
    assert_eq!(value(&metrics, ALIVE), Some(0.0), "a machine that slept is not fresh");
    assert_eq!(value(&metrics, LAST_RUN), Some(1_735_689_605.0), "it ran before that");
}

/// A manual clock advances only when the test says so.
#[test]
fn a_suspend_right_after_or_before_a_run_is_detected() {
    let (metrics, clock, trading) = trading(60);
    trading.start().finish(Outcome::Ok);
    clock.suspend(Duration::from_hours(1));
    assert_eq!(value(&metrics, ALIVE), Some(0.0), "it ran before that");
    assert_eq!(value(&metrics, LAST_RUN), Some(1_735_689_600.0));
    trading.start().finish(Outcome::Ok);
    assert_eq!(value(&metrics, ALIVE), Some(1.0), "it ran after that");
    assert_eq!(value(&metrics, LAST_RUN), Some(1_735_693_200.0));
    clock.suspend(Duration::from_hours(1));
    trading.start().finish(Outcome::Ok);
    assert_eq!(value(&metrics, ALIVE), Some(1.0));
    assert_eq!(value(&metrics, LAST_RUN), Some(1_735_696_800.0));
    clock.suspend(Duration::from_hours(1));
    clock.suspend(Duration::from_hours(1));
    assert_eq!(metrics.health()[0].age, Duration::from_hours(2));
}

#[test]
fn a_run_that_succeeds_between_waking_and_the_next_scrape_is_fresh() {
    for outcome in [Outcome::Ok, Outcome::Skipped] {
        let (metrics, clock, trading) = trading(3 * 3_600);
        trading.start().finish(Outcome::Ok);
        clock.advance(Duration::from_secs(5));
        assert_eq!(value(&metrics, ALIVE), Some(1.0));
        clock.advance(Duration::from_secs(5));
        clock.suspend(Duration::from_hours(8));
        clock.advance(Duration::from_secs(5));
        let run = trading.start();
        clock.advance(Duration::from_millis(50));
        run.finish(outcome);
        clock.advance(Duration::from_secs(5));
        assert_eq!(value(&metrics, ALIVE), Some(1.0), "{outcome:?}");
        let last_run = if outcome == Outcome::Ok { 28_815.05 } else { 0.0 };
        assert_eq!(value(&metrics, LAST_RUN), Some(1_735_689_600.0 + last_run), "{outcome:?}");
    }
}

#[test]
fn a_run_in_which_the_machine_sleeps_is_as_fresh_as_its_end() {
    let (metrics, clock, trading) = trading(60);
    assert_eq!(value(&metrics, ALIVE), Some(1.0));
    let run = trading.start();
    clock.advance(Duration::from_millis(20));
    clock.suspend(Duration::from_hours(8));
    clock.advance(Duration::from_millis(20));
    run.finish(Outcome::Ok);
    clock.advance(Duration::from_secs(5));
    assert_eq!(value(&metrics, ALIVE), Some(1.0));
    assert_eq!(value(&metrics, LAST_RUN), Some(1_735_689_600.0 + 28_800.04));
}

#[test]
fn a_jump_of_the_wall_clock_changes_only_the_last_run() {
    let (metrics, clock, trading) = trading(5);
    trading.start().finish(Outcome::Ok);
    clock.set_wall(Duration::from_secs(1_000_000));
    assert_eq!(value(&metrics, ALIVE), Some(1.0));
    trading.start().finish(Outcome::Ok);
    assert_eq!(value(&metrics, LAST_RUN), Some(1_000_000.0), "it follows the clock back");
}

#[test]
fn an_age_is_given_once_and_a_second_one_is_refused() {
    let (metrics, _, _) = trading(5);
    let again = metrics.subsystem(Subsystem::Trading);
    assert!(again.clone().with_max_age(Duration::from_secs(5)).is_ok());
    let refused = again.with_period(Duration::from_secs(5)).expect_err("15 s are not 5 s").to_string();
    let (file, line) = (file!(), line!() - 1);
    let begins = format!(
        "subsystem trading cannot count as stalled both after 15s, as {file}:{line} says, and after 5s, as {file}:"
    );
    assert!(refused.starts_with(&begins), "{refused}");
    assert!(refused.ends_with(" says: write the same `every` or `max_age` in both"), "{refused}");
    assert_eq!(value(&metrics, "bytelyst_bot_subsystem_max_age_seconds"), Some(5.0));
    let _monitor = metrics.subsystem(Subsystem::Monitor);
    let monitor =
        Samples::of(&metrics).value("bytelyst_bot_subsystem_max_age_seconds", &[("subsystem", "monitor")]);
    assert_eq!(monitor, Some(60.0), "without an age of its own");
}

const PAUSED: &str = "bytelyst_bot_subsystem_paused";
const LAST_ATTEMPT: &str = "bytelyst_bot_subsystem_last_attempt_timestamp_seconds";
const GAUGES: [&str; 6] =
    [ALIVE, LAST_RUN, LAST_ATTEMPT, IN_PROGRESS, PAUSED, "bytelyst_bot_subsystem_max_age_seconds"];

#[test]
fn paused_on_purpose_it_stays_1_and_paused_is_1() {
    let (metrics, clock, trading) = trading(5);
    assert_eq!(value(&metrics, PAUSED), Some(0.0));
    trading.pause("market closed");
    clock.advance(Duration::from_hours(60));
    assert_eq!((value(&metrics, ALIVE), value(&metrics, PAUSED)), (Some(1.0), Some(1.0)));
    assert_eq!(metrics.health()[0].paused.as_deref(), Some("market closed"));
    assert!(!metrics.exposition().contains("market closed"), "no reason in any label");
    trading.resume();
    assert_eq!((value(&metrics, ALIVE), value(&metrics, PAUSED)), (Some(1.0), Some(0.0)));
    clock.advance(Duration::from_secs(5));
    assert_eq!(value(&metrics, ALIVE), Some(1.0), "it has its age for the next success");
    clock.advance(Duration::from_millis(1));
    assert_eq!(value(&metrics, ALIVE), Some(0.0));
    trading.resume();
    assert_eq!(value(&metrics, ALIVE), Some(0.0), "resuming a subsystem that was not paused has no effect");
}

#[test]
fn a_run_in_progress_does_not_hang_while_paused() {
    let (metrics, clock, trading) = trading(5);
    let _run = trading.start();
    trading.pause("waits in the middle of a cycle");
    clock.advance(Duration::from_hours(1));
    assert_eq!(metrics.health()[0].hung_for, None);
    assert_eq!(metrics.health()[0].running_for, Some(Duration::from_hours(1)));
    trading.resume();
    assert_eq!(metrics.health()[0].hung_for, None, "it has its age");
    clock.advance(Duration::from_secs(6));
    assert_eq!(metrics.health()[0].hung_for, Some(Duration::from_secs(6)));
}

#[test]
fn unregistered_all_its_gauges_vanish_and_return_without_loss_with_its_next_run() {
    let (metrics, clock, trading) = trading(5);
    trading.start().finish(Outcome::Ok);
    trading.start().finish(Outcome::Error);
    let gauges = || GAUGES.map(|gauge| value(&metrics, gauge).is_some());
    assert_eq!(gauges(), [true; 6]);
    let cached = trading.clone();
    trading.unregister();
    clock.advance(Duration::from_hours(1));
    assert_eq!(gauges(), [false; 6]);
    assert_eq!(metrics.health(), [], "an unregistered subsystem is not stalled");
    assert_eq!((value(&metrics, DURATION_COUNT), runs(&metrics, "ok")), (Some(2.0), 1.0), "counters stay");
    let run = cached.start();
    assert_eq!((value(&metrics, ALIVE), value(&metrics, IN_PROGRESS)), (Some(1.0), Some(1.0)));
    run.finish(Outcome::Ok);
    assert_eq!(gauges(), [true; 6]);
    assert_eq!((value(&metrics, DURATION_COUNT), runs(&metrics, "ok")), (Some(3.0), 2.0));
    assert_eq!(value(&metrics, "bytelyst_bot_subsystem_max_age_seconds"), Some(5.0), "its age too");
}

#[test]
fn a_run_in_progress_when_it_was_unregistered_does_not_restore_it() {
    let (metrics, _, trading) = trading(5);
    let run = trading.start();
    trading.unregister();
    run.finish(Outcome::Ok);
    assert_eq!(value(&metrics, ALIVE), None);
    let _again = metrics.subsystem(Subsystem::Trading);
    assert_eq!(value(&metrics, ALIVE), Some(1.0), "a new handle does");
}

#[test]
fn a_disabled_subsystem_counts_from_its_first_run() {
    let (settings, clock) = with_manual_clock(Settings::new(Mode::Paper).disable(Subsystem::Trading));
    let metrics = settings.build().expect("legal");
    let trading = metrics.subsystem(Subsystem::Trading);
    clock.advance(Duration::from_hours(1));
    assert!(!metrics.exposition().contains("subsystem=\"trading\""), "left out");
    trading.start().finish(Outcome::Error);
    assert_eq!(value(&metrics, ALIVE), Some(1.0), "it has its grace from here on");
    assert_eq!(runs(&metrics, "error"), 1.0);
}

#[test]
fn last_attempt_is_set_by_failing_runs_too_and_last_run_by_successful_ones_alone() {
    let (metrics, clock, trading) = trading(5);
    assert_eq!(value(&metrics, LAST_ATTEMPT), None, "absent before the first end");
    let run = trading.start();
    assert_eq!(value(&metrics, LAST_ATTEMPT), None, "absent before the first end");
    run.finish(Outcome::Ok);
    let first = value(&metrics, LAST_RUN).expect("it succeeded");
    assert_eq!(value(&metrics, LAST_ATTEMPT), Some(first));
    for (seconds, outcome) in
        [(1.0, Outcome::Error), (2.0, Outcome::Panic), (3.0, Outcome::Skipped), (4.0, Outcome::Cancelled)]
    {
        clock.advance(Duration::from_secs(1));
        trading.start().finish(outcome);
        assert_eq!(value(&metrics, LAST_ATTEMPT), Some(first + seconds), "{outcome:?}");
        assert_eq!(value(&metrics, LAST_RUN), Some(first), "{outcome:?}");
    }
}

#[test]
fn only_a_run_in_progress_for_longer_than_the_age_hangs() {
    let (metrics, clock, trading) = trading(5);
    let hung_for = || metrics.health()[0].hung_for;
    clock.advance(Duration::from_hours(1));
    assert_eq!(hung_for(), None, "nothing is in progress");
    let run = trading.start();
    clock.advance(Duration::from_secs(5));
    assert_eq!(hung_for(), None, "no longer than the age");
    for _ in 0..3 {
        trading.start().finish(Outcome::Ok);
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(hung_for(), Some(Duration::from_secs(8)), "though others succeed");
    run.finish(Outcome::Ok);
    assert_eq!(hung_for(), None);
}

#[test]
fn one_hung_run_of_several_is_detected_and_a_healthy_one_is_not_reported() {
    let (metrics, clock, trading) = trading(5);
    let hung_for = || metrics.health()[0].hung_for;
    let hung = trading.start();
    let mut second = trading.start();
    for _ in 0..3 {
        clock.advance(Duration::from_secs(3));
        std::mem::replace(&mut second, trading.start()).finish(Outcome::Ok);
    }
    assert_eq!(hung_for(), None, "9 s and 0 s are no more than twice 5 s");
    clock.advance(Duration::from_secs(3));
    assert_eq!(hung_for(), Some(Duration::from_millis(7_500)), "12 s and 3 s are");
    hung.finish(Outcome::Ok);
    assert_eq!(hung_for(), None);
}

#[test]
fn time_asleep_does_not_count_as_hanging() {
    let (metrics, clock, trading) = trading(5);
    let _run = trading.start();
    clock.suspend(Duration::from_hours(1));
    assert_eq!(metrics.health()[0].hung_for, None, "it had no time to end");
    assert_eq!(value(&metrics, ALIVE), Some(0.0), "yet it is not fresh");
}

#[test]
fn a_run_that_never_returns_is_in_progress_since_its_start() {
    let (metrics, clock, trading) = trading(5);
    let _run = trading.start();
    clock.advance(Duration::from_hours(2));
    let health = &metrics.health()[0];
    assert_eq!((health.running_for, health.runs_ended), (Some(Duration::from_hours(2)), 0));
}

/// "Unregistered: all its gauges vanish", whether or not a scrape has exported its runs.
#[test]
fn a_subsystem_is_unregistered_before_any_scrape() {
    let (settings, clock) = with_manual_clock(Settings::new(Mode::Paper).disable(Subsystem::Trading));
    let metrics = settings.build().expect("settings that are allowed");
    for subsystem in [Subsystem::Trading, Subsystem::Monitor] {
        let handle = metrics.subsystem(subsystem);
        for _ in 0..2 {
            handle.start().finish(Outcome::Ok);
            handle.unregister();
        }
    }
    let _ = metrics.exposition();
    clock.advance(Duration::from_secs(100));
    assert_eq!(Samples::of(&metrics).matching("bytelyst_bot_subsystem_alive", &[]).count(), 0);
}
