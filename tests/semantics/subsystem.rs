use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bot_metrics::labels::Subsystem;
use bot_metrics::testing::{Samples, SteeredClock, instance};
use bot_metrics::{Metrics, Outcome, SubsystemHandle};

const TRADING: &[(&str, &str)] = &[("subsystem", "trading")];
const ALIVE: &str = "bytelyst_bot_subsystem_alive";
const LAST_RUN: &str = "bytelyst_bot_subsystem_last_run_timestamp";
const DURATION_COUNT: &str = "bytelyst_bot_subsystem_duration_seconds_count";
const IN_PROGRESS: &str = "bytelyst_bot_subsystem_in_progress";

fn trading(max_age: u64) -> (Metrics, SteeredClock, SubsystemHandle) {
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
    Samples::of(metrics)
        .value("bytelyst_bot_subsystem_runs_total", &labels)
        .expect("each outcome stands at 0")
}

#[test]
fn registered_and_never_run_it_is_alive_for_its_grace_and_has_no_last_run() {
    let (metrics, clock, _trading) = trading(5);
    assert_eq!(value(&metrics, ALIVE), Some(1.0));
    assert_eq!(value(&metrics, LAST_RUN), None, "absent, since 0 would page at once");
    assert_eq!(value(&metrics, DURATION_COUNT), Some(0.0));
    clock.advance(Duration::from_secs(5));
    assert_eq!(value(&metrics, ALIVE), Some(1.0), "no older than the age allowed");
    clock.advance(Duration::from_millis(1));
    assert_eq!(value(&metrics, ALIVE), Some(0.0));
}

#[test]
fn each_outcome_moves_what_the_table_of_outcomes_says() {
    // outcome, is the duration observed, does it freshen, does it set the last run
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
fn a_hung_run_cannot_keep_its_own_flag_up() {
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
fn a_wall_clock_that_jumps_moves_the_last_run_alone() {
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
    assert_eq!(refused, "subsystem trading cannot be stalled after 15s: it is after 5s");
    assert_eq!(value(&metrics, "bytelyst_bot_subsystem_max_age_seconds"), Some(5.0));
    let _monitor = metrics.subsystem(Subsystem::Monitor);
    let monitor =
        Samples::of(&metrics).value("bytelyst_bot_subsystem_max_age_seconds", &[("subsystem", "monitor")]);
    assert_eq!(monitor, Some(60.0), "without an age of its own");
}
