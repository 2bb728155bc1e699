//! The series of removed profiles and feeds.

use std::time::Duration;

use bot_metrics::labels::{EventType, Exchange, Severity};
use bot_metrics::testing::{self, Samples};
use bot_metrics::{Capital, Mode, Settings};

const VIOLATIONS: &str = "bytelyst_bot_capital_invariant_violations_total";
const EVENTS: &str = "bytelyst_bot_operational_events_total";

fn used(positions: f64) -> Capital {
    Capital { allocated: 1.0, positions, ..Capital::default() }
}

#[test]
fn a_removed_profile_without_a_name_takes_no_event_with_it() {
    let (metrics, clock) = testing::instance();
    metrics.event(Severity::Info, EventType::Started).count(7).record();
    metrics.profile("").remove();
    let count = || Samples::of(&metrics).value(EVENTS, &[("type", "STARTED")]);
    assert_eq!(count(), Some(7.0));
    clock.advance(Duration::from_mins(6));
    assert_eq!(count(), Some(7.0));
    metrics.event(Severity::Info, EventType::Started).record();
    assert_eq!(count(), Some(8.0));
}

#[test]
fn a_profile_named_other_has_no_second_series() {
    let metrics = Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1).build().unwrap();
    let series = || {
        let text = metrics.exposition();
        text.lines().filter(|line| line.starts_with(&format!("{VIOLATIONS}{{"))).count()
    };
    let other = metrics.profile("other");
    assert_eq!(series(), 1, "it is there from here on");
    other.update(used(2.0));
    metrics.profile("a").update(used(2.0));
    metrics.profile("b").update(used(2.0));
    assert_eq!(series(), 2);
    let value = |profile| Samples::of(&metrics).value(VIOLATIONS, &[("profile_id", profile)]);
    assert_eq!((value("a"), value("other")), (Some(1.0), Some(2.0)));
}

#[test]
fn violations_of_profiles_over_the_limit_are_0_from_the_first_such_profile_on() {
    let metrics = Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1).build().unwrap();
    let others = || Samples::of(&metrics).value(VIOLATIONS, &[("profile_id", "other")]);
    metrics.profile("a").update(used(2.0));
    assert_eq!(others(), None);
    let b = metrics.profile("b");
    assert_eq!(others(), Some(0.0));
    b.update(used(2.0));
    assert_eq!(others(), Some(1.0));
}

#[test]
fn a_profile_that_is_removed_again_after_its_grace_does_not_come_back_for_another() {
    let (metrics, clock) = testing::instance();
    let value = || Samples::of(&metrics).value(VIOLATIONS, &[("profile_id", "maker")]);
    let maker = metrics.profile("maker");
    maker.update(used(2.0));
    maker.remove();
    clock.advance(Duration::from_mins(4));
    maker.remove();
    clock.advance(Duration::from_mins(4));
    assert_eq!(value(), Some(1.0), "the grace period begins with the last removal");
    clock.advance(Duration::from_mins(2));
    assert_eq!(value(), None);
    maker.remove();
    assert_eq!(value(), None);
    maker.update(used(0.0));
    assert_eq!(value(), Some(1.0));
}

#[test]
fn events_between_the_last_scrape_and_the_end_of_their_profiles_grace_are_exported() {
    let (metrics, clock) = testing::instance();
    let event = || metrics.event(Severity::Error, EventType::OrderFailure).profile("maker").record();
    let value = || Samples::of(&metrics).value(EVENTS, &[("profile_id", "maker")]);
    event();
    metrics.profile("maker").remove();
    assert_eq!(value(), Some(1.0));
    clock.advance(Duration::from_mins(6));
    event();
    event();
    assert_eq!(value(), Some(3.0));
    clock.advance(Duration::from_secs(15));
    event();
    assert_eq!(value(), Some(4.0));
}

#[test]
fn a_removed_profiles_series_is_free_after_its_grace_without_a_scrape() {
    let (settings, clock) =
        testing::with_manual_clock(Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1));
    let metrics = settings.build().unwrap();
    metrics.event(Severity::Error, EventType::OrderFailure).profile("a").record();
    metrics.profile("a").remove();
    clock.advance(Duration::from_mins(6));
    metrics.profile("b").update(used(2.0));
    let samples = Samples::of(&metrics);
    assert_eq!(samples.value(VIOLATIONS, &[("profile_id", "b")]), Some(1.0));
    assert_eq!(samples.value(EVENTS, &[("profile_id", "a")]), Some(1.0), "no scrape had exported it");
}

#[test]
fn a_removed_feeds_series_is_free_without_a_scrape() {
    let metrics = Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1).build().unwrap();
    let first = metrics.market_data(Exchange::Kraken, "A");
    first.updated();
    first.remove();
    drop(first);
    metrics.market_data(Exchange::Kraken, "B").updated();
    let updated = "bytelyst_bot_market_data_last_update_timestamp_seconds";
    assert!(Samples::of(&metrics).value(updated, &[("symbol", "B")]).is_some());
}

#[test]
fn counts_of_a_removed_profile_over_the_limit_go_after_its_grace_and_free_their_series() {
    let (settings, clock) =
        testing::with_manual_clock(Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1));
    let metrics = settings.build().unwrap();
    metrics.profile("a").update(used(0.0));
    metrics.event(Severity::Error, EventType::OrderFailure).profile("b").record();
    let value = |profile| Samples::of(&metrics).value(EVENTS, &[("profile_id", profile)]);
    let b = metrics.profile("b");
    b.remove();
    assert_eq!(value("b"), Some(1.0));
    clock.advance(Duration::from_mins(4));
    assert_eq!(value("b"), Some(1.0), "its grace");
    // A profile that returns within its grace period is kept.
    b.update(used(0.0));
    clock.advance(Duration::from_mins(2));
    assert_eq!(value("b"), Some(1.0));
    metrics.write_exposition(&mut std::io::sink()).unwrap();
    b.remove();
    clock.advance(Duration::from_mins(6));
    assert_eq!(value("b"), None);
    metrics.event(Severity::Error, EventType::OrderFailure).profile("c").record();
    assert_eq!(value("c"), Some(1.0), "the series is free");
}

#[test]
fn any_number_of_removed_profiles_over_the_limit_goes_without_a_scrape() {
    let (settings, clock) =
        testing::with_manual_clock(Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1));
    let metrics = settings.build().unwrap();
    metrics.profile("a").update(used(0.0));
    for n in 0..10_002 {
        let profile = format!("p{n}");
        metrics.profile(&profile).remove();
    }
    // More profiles than can have a grace period; this one's starts although no scrape has exported its counts.
    metrics.event(Severity::Error, EventType::OrderFailure).profile("late").record();
    metrics.profile("late").remove();
    let late = || Samples::of(&metrics).value(EVENTS, &[("profile_id", "late")]);
    assert_eq!(late(), Some(1.0));
    clock.advance(Duration::from_mins(6));
    assert_eq!(late(), None);
}

/// F13 and F16: the caches of threads restore no removed profiles over the limit.
#[test]
fn events_of_removed_profiles_have_at_most_as_many_series_as_are_allowed_and_lose_no_count() {
    let (settings, clock) =
        testing::with_manual_clock(Settings::new(Mode::Paper).profile_limit(5).symbol_limit(5));
    let metrics = settings.build().unwrap();
    let record = |profiles: std::ops::Range<u32>| {
        for n in profiles {
            metrics.event(Severity::Error, EventType::OrderFailure).profile(&n.to_string()).record();
        }
    };
    // The series of profiles, including "other".
    let series = || {
        let samples = Samples::of(&metrics);
        let count = samples.matching(EVENTS, &[("type", "ORDER_FAILURE")]).count();
        (count, samples.sum(EVENTS, &[("type", "ORDER_FAILURE")]))
    };
    std::thread::scope(|scope| {
        let (again, wait) = std::sync::mpsc::channel::<()>();
        let (done, recorded) = std::sync::mpsc::channel::<()>();
        // A thread that has the first five in its cache and is idle meanwhile.
        scope.spawn(move || {
            record(0..5);
            done.send(()).unwrap();
            wait.recv().unwrap();
            record(0..5);
        });
        recorded.recv().unwrap();
        assert_eq!(series(), (5, 5.0));
        (0..5).for_each(|n| metrics.profile(&n.to_string()).remove());
        for _ in 0..2 {
            clock.advance(Duration::from_mins(6));
            let _ = metrics.exposition();
        }
        assert_eq!(series().0, 0);
        record(5..10);
        assert_eq!(series(), (5, 5.0));
        again.send(()).unwrap();
    });
    assert_eq!(series(), (6, 10.0));
    record(0..10);
    assert_eq!(series(), (6, 20.0));
}
