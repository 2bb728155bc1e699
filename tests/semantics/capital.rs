use std::time::Duration;

use bot_metrics::testing::{Samples, instance, steered};
use bot_metrics::{Capital, Mode, Settings};

const VIOLATIONS: &str = "bytelyst_bot_capital_invariant_violations_total";
const UTILIZATION: &str = "bytelyst_bot_profile_utilization_percent";
const MAKER: &[(&str, &str)] = &[("profile_id", "maker")];

fn capital(allocated: f64, used: f64) -> Capital {
    Capital { allocated, positions: used, ..Capital::default() }
}

#[test]
fn violations_stand_at_0_from_the_moment_a_profile_is_known() {
    let (metrics, _) = instance();
    let _maker = metrics.profile("maker");
    let samples = Samples::of(&metrics);
    assert_eq!(samples.value(VIOLATIONS, MAKER), Some(0.0));
    assert_eq!(samples.value(UTILIZATION, MAKER), None, "nothing is known of its use as yet");
}

#[test]
fn nan_and_infinity_change_nothing_and_record_an_event() {
    let (metrics, _) = instance();
    let maker = metrics.profile("maker");
    maker.update(capital(100.0, 50.0));
    for bad in
        [capital(f64::NAN, 1.0), capital(100.0, f64::INFINITY), capital(1.0, 0.0).with_available(f64::NAN)]
    {
        maker.update(bad);
    }
    let samples = Samples::of(&metrics);
    assert_eq!(samples.value(UTILIZATION, MAKER), Some(50.0));
    assert_eq!(samples.value(VIOLATIONS, MAKER), Some(0.0));
    let event = [("type", "INVALID_CAPITAL"), ("severity", "ERROR"), ("profile_id", "maker")];
    assert_eq!(samples.value("bytelyst_bot_operational_events_total", &event), Some(3.0));
}

#[test]
fn a_removed_profile_loses_its_gauges_at_once_and_its_counters_after_five_minutes() {
    let (metrics, clock) = instance();
    let maker = metrics.profile("maker");
    maker.update(capital(100.0, 150.0));
    maker.remove();
    let samples = Samples::of(&metrics);
    assert_eq!((samples.value(UTILIZATION, MAKER), samples.value(VIOLATIONS, MAKER)), (None, Some(1.0)));
    clock.advance(Duration::from_mins(5));
    assert_eq!(Samples::of(&metrics).value(VIOLATIONS, MAKER), Some(1.0));
    clock.advance(Duration::from_secs(1));
    assert_eq!(Samples::of(&metrics).value(VIOLATIONS, MAKER), None);
}

#[test]
fn a_cached_handle_of_a_removed_profile_brings_it_back_and_loses_nothing() {
    let (metrics, clock) = instance();
    let cached = metrics.profile("maker");
    cached.update(capital(100.0, 150.0));
    cached.remove();
    clock.advance(Duration::from_mins(6));
    assert_eq!(Samples::of(&metrics).value(VIOLATIONS, MAKER), None);
    cached.update(capital(100.0, 150.0));
    let samples = Samples::of(&metrics);
    assert_eq!(
        (samples.value(UTILIZATION, MAKER), samples.value(VIOLATIONS, MAKER)),
        (Some(150.0), Some(2.0))
    );
}

#[test]
fn a_removed_profile_without_handles_frees_its_place() {
    let (metrics, clock) = instance();
    for generation in 0..10 {
        for profile in 0..50 {
            metrics.profile(&format!("{generation}-{profile}")).remove();
        }
        clock.advance(Duration::from_mins(6));
        assert_eq!(Samples::of(&metrics).matching(VIOLATIONS, &[]).count(), 0);
    }
    let overflow = Samples::of(&metrics).sum("bytelyst_bot_label_overflow_total", &[]);
    assert_eq!(overflow, 0.0, "rotating profiles do not use the bound up");
}

#[test]
fn profiles_beyond_the_bound_are_told_apart_and_have_no_utilization() {
    let (settings, _) = steered(Settings::new(Mode::Paper).label_bounds(1, 10));
    let metrics = settings.build().expect("legal");
    let _placed = metrics.profile("maker");
    let (falls, stands) = (metrics.profile("falls"), metrics.profile("stands"));
    for _ in 0..5 {
        falls.update(capital(100.0, 150.0));
        stands.update(capital(100.0, 50.0));
    }
    let samples = Samples::of(&metrics);
    let other = [("profile_id", "other")];
    assert_eq!(samples.value(VIOLATIONS, &other), Some(1.0), "one fell, once");
    assert_eq!(samples.value(UTILIZATION, &other), None);
    let overflow = [("metric", "capital_invariant_violations_total")];
    assert_eq!(samples.value("bytelyst_bot_label_overflow_total", &overflow), Some(10.0));
}

#[test]
fn a_profile_beyond_the_bound_moves_in_when_a_place_comes_free() {
    let (settings, clock) = steered(Settings::new(Mode::Paper).label_bounds(1, 10));
    let metrics = settings.build().expect("legal");
    metrics.profile("first").remove();
    let second = metrics.profile("second");
    clock.advance(Duration::from_mins(6));
    let _ = metrics.exposition();
    second.update(capital(100.0, 50.0));
    assert_eq!(Samples::of(&metrics).value(UTILIZATION, &[("profile_id", "second")]), Some(50.0));
}
