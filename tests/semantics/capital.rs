use std::time::Duration;

use bot_metrics::testing::{Samples, instance, with_manual_clock};
use bot_metrics::{Capital, Metrics, Mode, Settings};

const VIOLATIONS: &str = "bytelyst_bot_capital_invariant_violations_total";
const UTILIZATION: &str = "bytelyst_bot_profile_utilization_percent";
const MAKER: &[(&str, &str)] = &[("profile_id", "maker")];

/// Records to each family of this file, for the tests of the whole catalogue.
pub(crate) fn record(metrics: &Metrics) {
    metrics.profile("maker").update(Capital { allocated: 1.0, ..Capital::default() });
}

fn capital(allocated: f64, used: f64) -> Capital {
    Capital { allocated, positions: used, ..Capital::default() }
}

#[test]
fn violations_are_0_as_soon_as_a_profile_is_known() {
    let (metrics, _) = instance();
    let _maker = metrics.profile("maker");
    let samples = Samples::of(&metrics);
    assert_eq!(samples.value(VIOLATIONS, MAKER), Some(0.0));
    assert_eq!(samples.value(UTILIZATION, MAKER), None, "its utilization is unknown");
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
    clock.advance(Duration::from_secs(299));
    assert_eq!(Samples::of(&metrics).value(VIOLATIONS, MAKER), Some(1.0));
    clock.advance(Duration::from_secs(1));
    assert_eq!(Samples::of(&metrics).value(VIOLATIONS, MAKER), None);
}

#[test]
fn a_cached_handle_of_a_removed_profile_restores_it_and_loses_nothing() {
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
fn a_removed_profile_without_handles_frees_its_series() {
    let (metrics, clock) = instance();
    for generation in 0..10 {
        for profile in 0..50 {
            metrics.profile(&format!("{generation}-{profile}")).remove();
        }
        clock.advance(Duration::from_mins(6));
        assert_eq!(Samples::of(&metrics).matching(VIOLATIONS, &[]).count(), 0);
    }
    let overflow = Samples::of(&metrics).sum("bytelyst_bot_label_overflow_total", &[]);
    assert_eq!(overflow, 0.0, "rotating profiles do not exhaust the limit");
}

#[test]
fn profiles_over_the_limit_are_tracked_separately_and_have_no_utilization() {
    let (settings, _) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(1).symbol_limit(10));
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
    let overflow = [("metric", "bytelyst_bot_capital_invariant_violations_total")];
    assert_eq!(samples.value("bytelyst_bot_label_overflow_total", &overflow), Some(10.0));
}

#[test]
fn a_profile_over_the_limit_gets_a_series_when_one_becomes_free() {
    let (settings, clock) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(1).symbol_limit(10));
    let metrics = settings.build().expect("legal");
    metrics.profile("first").remove();
    let second = metrics.profile("second");
    clock.advance(Duration::from_mins(6));
    let _ = metrics.exposition();
    second.update(capital(100.0, 50.0));
    assert_eq!(Samples::of(&metrics).value(UTILIZATION, &[("profile_id", "second")]), Some(50.0));
}

const BELOW_ZERO: &str = "bytelyst_bot_capital_below_zero";

#[test]
fn below_zero_is_1_while_it_lasts_and_the_counter_counts_falls_only() {
    let (metrics, _) = instance();
    let maker = metrics.profile("maker");
    let figures = || {
        let samples = Samples::of(&metrics);
        (samples.value(BELOW_ZERO, MAKER), samples.value(VIOLATIONS, MAKER))
    };
    assert_eq!(figures(), (None, Some(0.0)), "its capital is unknown");
    for (used, below, violations) in
        [(150.0, 1.0, 1.0), (160.0, 1.0, 1.0), (100.0, 0.0, 1.0), (101.0, 1.0, 2.0)]
    {
        maker.update(capital(100.0, used));
        assert_eq!(figures(), (Some(below), Some(violations)), "{used} of 100");
    }
    maker.update(capital(f64::NAN, 0.0));
    assert_eq!(figures(), (Some(1.0), Some(2.0)), "NaN changes nothing");
    maker.remove();
    assert_eq!(figures(), (None, Some(2.0)));
    maker.update(capital(100.0, 101.0));
    assert_eq!(figures(), (Some(1.0), Some(3.0)), "after a removal this is the first update");
}

#[test]
fn a_first_update_below_zero_counts_and_negative_zero_is_not_below() {
    let (metrics, _) = instance();
    metrics.profile("first").update(capital(100.0, 100.5));
    metrics.profile("zero").update(capital(100.0, 0.0).with_available(-0.0));
    let of = |profile| Samples::of(&metrics).value(VIOLATIONS, &[("profile_id", profile)]);
    assert_eq!((of("first"), of("zero")), (Some(1.0), Some(0.0)));
}

#[test]
fn the_tolerance_is_0_by_default() {
    for (tolerance, violations) in [(None, 1.0), (Some(0.5), 0.0)] {
        let settings = Settings::new(Mode::Paper);
        let settings = tolerance.map_or(settings.clone(), |tolerance| settings.capital_tolerance(tolerance));
        let metrics = settings.build().expect("legal");
        metrics.profile("maker").update(capital(100.0, 100.4));
        assert_eq!(Samples::of(&metrics).value(VIOLATIONS, MAKER), Some(violations), "{tolerance:?}");
    }
}

#[test]
fn amounts_are_decimals_too_and_exact() {
    use rust_decimal::Decimal;

    let (metrics, _) = instance();
    let tenths = |n| Decimal::new(n, 1);
    let exact = |used| Capital {
        allocated: tenths(3),
        positions: tenths(1),
        open_orders: tenths(used),
        reported_available: None,
    };
    let floats = Capital { allocated: 0.3, positions: 0.1, open_orders: 0.2, ..Capital::default() };
    let (decimal, float) = (metrics.profile("decimal"), metrics.profile("float"));
    decimal.update(exact(2));
    float.update(floats);
    let of = |name, profile| Samples::of(&metrics).value(name, &[("profile_id", profile)]);
    assert_eq!((of(BELOW_ZERO, "decimal"), of(BELOW_ZERO, "float")), (Some(0.0), Some(1.0)));
    assert_eq!(of(UTILIZATION, "decimal"), Some(100.0));
    decimal.update(exact(3));
    assert_eq!((of(VIOLATIONS, "decimal"), exact(3).available()), (Some(1.0), tenths(-1)));
    let smallest = Decimal::new(-1, 28);
    decimal.update(exact(0));
    decimal.update(exact(0).with_available(smallest));
    assert_eq!(of(VIOLATIONS, "decimal"), Some(2.0), "the smallest amount below zero");
    let most = Capital {
        allocated: Decimal::MIN,
        positions: Decimal::MAX,
        open_orders: Decimal::MAX,
        reported_available: None,
    };
    decimal.update(most);
    assert_eq!(
        of(VIOLATIONS, "decimal"),
        Some(2.0),
        "an amount outside a decimal's range is still below zero"
    );
}

#[test]
fn check_and_set_is_atomic_and_profiles_that_race_do_not_mix() {
    let (metrics, _) = instance();
    let turns = 2_000;
    std::thread::scope(|scope| {
        for profile in ["maker", "taker"] {
            // Two threads detect the same fall, each through its own handle.
            let barrier = std::sync::Arc::new(std::sync::Barrier::new(2));
            for _ in 0..2 {
                let (handle, barrier) = (metrics.profile(profile), std::sync::Arc::clone(&barrier));
                scope.spawn(move || {
                    for _ in 0..turns {
                        barrier.wait();
                        handle.update(capital(100.0, 150.0));
                        barrier.wait();
                        handle.update(capital(100.0, 50.0));
                    }
                });
            }
        }
    });
    let samples = Samples::of(&metrics);
    for profile in ["maker", "taker"] {
        let labels = [("profile_id", profile)];
        assert_eq!(samples.value(VIOLATIONS, &labels), Some(f64::from(turns)), "{profile}");
        assert_eq!(samples.value(UTILIZATION, &labels), Some(50.0), "{profile}");
    }
}

#[test]
fn utilization_is_never_clamped_and_with_nothing_allocated_it_is_0_or_infinite() {
    let (metrics, _) = instance();
    let maker = metrics.profile("maker");
    let table = [(100.0, 250.0, 250.0), (0.0, 0.0, 0.0), (0.0, 1.0, f64::INFINITY), (200.0, 50.0, 25.0)];
    for (allocated, used, percent) in table {
        let open_orders = used / 2.0;
        maker.update(Capital { allocated, positions: used - open_orders, open_orders, ..Capital::default() });
        assert_eq!(Samples::of(&metrics).value(UTILIZATION, MAKER), Some(percent), "{used} of {allocated}");
    }
}

/// "A removed profile's series vanish", also through a handle that was over the limit when it was made.
#[test]
fn a_profile_that_got_its_series_late_vanishes_when_it_is_removed() {
    let (settings, clock) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1));
    let metrics = settings.build().expect("settings that are allowed");
    metrics.profile("first").remove();
    let second = metrics.profile("second");
    clock.advance(Duration::from_secs(400));
    let _ = metrics.exposition();
    second.update(Capital { allocated: 100.0, positions: 150.0, ..Capital::default() });
    let utilization = || {
        Samples::of(&metrics).value("bytelyst_bot_profile_utilization_percent", &[("profile_id", "second")])
    };
    assert_eq!(utilization(), Some(150.0));
    second.remove();
    assert_eq!(utilization(), None);
}
