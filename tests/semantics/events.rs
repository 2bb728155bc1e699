use std::time::Duration;

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::testing::{Samples, instance, steered};
use bot_metrics::{Mode, Settings};

const EVENTS: &str = "bytelyst_bot_operational_events_total";

#[test]
fn an_event_counts_once_and_a_batch_of_twenty_counts_twenty() {
    let (metrics, _) = instance();
    metrics.event(Severity::Info, EventType::OrderPlaced).profile("maker").symbol("BTCUSDT").record();
    metrics
        .event(Severity::Info, EventType::OrderCancelled)
        .profile("maker")
        .symbol("BTCUSDT")
        .count(20)
        .record();
    let samples = Samples::of(&metrics);
    let of = |kind| [("severity", "INFO"), ("type", kind), ("profile_id", "maker"), ("symbol", "BTCUSDT")];
    assert_eq!(samples.value(EVENTS, &of("ORDER_PLACED")), Some(1.0));
    assert_eq!(samples.value(EVENTS, &of("ORDER_CANCELLED")), Some(20.0));
}

#[test]
fn without_a_profile_or_symbol_the_label_is_there_and_empty() {
    let (metrics, _) = instance();
    metrics.event(Severity::Critical, EventType::CircuitBreaker).record();
    let labels = [("type", "CIRCUIT_BREAKER"), ("profile_id", ""), ("symbol", "")];
    assert_eq!(Samples::of(&metrics).value(EVENTS, &labels), Some(1.0));
}

#[test]
fn symbols_beyond_the_bound_go_to_other_with_exact_totals_and_are_counted() {
    let (settings, _) = steered(Settings::new(Mode::Paper).label_bounds(50, 3));
    let metrics = settings.build().expect("legal");
    for symbol in 0..10 {
        metrics.event(Severity::Info, EventType::OrderPlaced).symbol(&format!("S{symbol}")).record();
    }
    let samples = Samples::of(&metrics);
    assert_eq!(samples.matching(EVENTS, &[]).count(), 4);
    assert_eq!(samples.sum(EVENTS, &[]), 10.0);
    assert_eq!(samples.value(EVENTS, &[("symbol", "other")]), Some(7.0));
    let overflow = [("metric", "operational_events_total"), ("label", "symbol")];
    assert_eq!(samples.value("bytelyst_bot_label_overflow_total", &overflow), Some(7.0));
}

#[test]
fn series_beyond_the_familys_bound_go_to_other_with_exact_totals() {
    let (settings, _) = steered(Settings::new(Mode::Paper).label_bounds(10_000, 10_000));
    let metrics = settings.build().expect("legal");
    for symbol in 0..3_000 {
        metrics.event(Severity::Info, EventType::OrderPlaced).symbol(&format!("S{symbol}")).record();
    }
    let samples = Samples::of(&metrics);
    assert_eq!(samples.matching(EVENTS, &[]).count(), 2_001);
    assert_eq!(samples.value(EVENTS, &[("symbol", "other")]), Some(1_000.0));
}

#[test]
fn beyond_the_familys_bound_an_empty_label_stays_empty_and_only_what_is_replaced_is_counted() {
    let (settings, _) = steered(Settings::new(Mode::Paper).label_bounds(10_000, 10_000));
    let metrics = settings.build().expect("legal");
    for symbol in 0..2_000 {
        metrics.event(Severity::Info, EventType::OrderPlaced).symbol(&format!("S{symbol}")).record();
    }
    metrics.event(Severity::Critical, EventType::CircuitBreaker).record();
    metrics.event(Severity::Error, EventType::OrderFailure).symbol("new").record();
    let samples = Samples::of(&metrics);
    let breaker = [("type", "CIRCUIT_BREAKER"), ("profile_id", ""), ("symbol", "")];
    assert_eq!(samples.value(EVENTS, &breaker), Some(1.0));
    let failure = [("type", "ORDER_FAILURE"), ("profile_id", ""), ("symbol", "other")];
    assert_eq!(samples.value(EVENTS, &failure), Some(1.0));
    let overflow = |label| {
        let labels = [("metric", "operational_events_total"), ("label", label)];
        samples.value("bytelyst_bot_label_overflow_total", &labels)
    };
    assert_eq!((overflow("symbol"), overflow("profile_id")), (Some(1.0), Some(0.0)));
}

#[test]
fn events_of_rotating_profiles_vanish_with_them_and_take_no_place_for_ever() {
    let (metrics, clock) = instance();
    for generation in 0..60 {
        for profile in 0..50 {
            let id = format!("{generation}-{profile}");
            let handle = metrics.profile(&id);
            metrics.event(Severity::Info, EventType::OrderPlaced).profile(&id).record();
            handle.remove();
        }
        assert_eq!(Samples::of(&metrics).matching(EVENTS, &[]).count(), 50, "their grace");
        clock.advance(Duration::from_mins(6));
        assert_eq!(Samples::of(&metrics).matching(EVENTS, &[]).count(), 0);
    }
    assert_eq!(Samples::of(&metrics).sum("bytelyst_bot_label_overflow_total", &[]), 0.0);
}

#[test]
fn an_event_of_a_profile_removed_long_ago_is_counted_all_the_same() {
    let (metrics, clock) = instance();
    let held = metrics.profile("maker");
    held.remove();
    clock.advance(Duration::from_mins(6));
    let _ = metrics.exposition();
    metrics.event(Severity::Error, EventType::OrderFailure).profile("maker").record();
    for _ in 0..2 {
        assert_eq!(Samples::of(&metrics).value(EVENTS, &[("profile_id", "maker")]), Some(1.0));
    }
}

#[test]
fn ids_that_only_events_name_take_no_place_from_profiles_with_capital() {
    let (metrics, _) = instance();
    for id in 0..60 {
        metrics.event(Severity::Info, EventType::OrderPlaced).profile(&format!("p{id}")).record();
    }
    let _maker = metrics.profile("maker");
    let labels = [("profile_id", "maker")];
    let violations = Samples::of(&metrics).value("bytelyst_bot_capital_invariant_violations_total", &labels);
    assert_eq!(violations, Some(0.0));
}

#[test]
fn label_sets_never_merge() {
    let (metrics, _) = instance();
    for (profile, symbol) in [("1", "1INCHUSDT"), ("11", "INCHUSDT"), ("77kepQFQ8Kl", ""), ("!0IC=VloaY", "")]
    {
        metrics.event(Severity::Info, EventType::OrderPlaced).profile(profile).symbol(symbol).record();
    }
    assert!(Samples::of(&metrics).matching(EVENTS, &[]).all(|(_, value)| value == 1.0));
    assert_eq!(Samples::of(&metrics).matching(EVENTS, &[]).count(), 4);
}
