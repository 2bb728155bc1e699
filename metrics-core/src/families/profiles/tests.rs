use std::sync::Arc;
use std::time::Duration;

use super::known::MOST_OVER;
use super::*;
use crate::series::GRACE;

fn capital(allocated: f64, used: f64) -> CapitalReading {
    available(allocated - used)
}

fn available(available: f64) -> CapitalReading {
    CapitalReading { allocated: 100.0, used: 100.0 - available, available, utilization_percent: 0.0 }
}

fn with_limit(limit: usize) -> Profiles {
    let clock = Clock::default();
    let profiles = Profiles::new(clock.clone(), Arc::new(Events::new(clock)), Arc::default());
    profiles.configure(limit, 0.0);
    profiles
}

/// The violations of the profile "x".
fn violations(profiles: &Profiles) -> u64 {
    let known = profiles.known.lock();
    known.states().find(|(id, _)| &***id == "x").expect("a series of its own").1.violations
}

fn other_violations(profiles: &Profiles) -> u64 {
    profiles.known.lock().other_violations
}

#[test]
fn violations_count_edges() {
    let profiles = with_limit(1);
    for (used, expected) in [(101.0, 1), (102.0, 1), (100.0, 1), (99.0, 1), (100.5, 2), (100.5, 2)] {
        profiles.update("x", &capital(100.0, used));
        assert_eq!(violations(&profiles), expected, "{used} of 100 used");
    }
}

#[test]
fn negative_zero_is_not_below_and_a_tolerance_is_respected() {
    let profiles = with_limit(1);
    profiles.update("x", &available(-0.0));
    profiles.configure(1, 0.5);
    profiles.update("x", &capital(100.0, 100.4));
    assert_eq!(violations(&profiles), 0);
    profiles.update("x", &capital(100.0, 100.6));
    assert_eq!(violations(&profiles), 1);
}

#[test]
fn concurrent_threads_count_one_fall_once() {
    let profiles = with_limit(1);
    for round in 1..=100 {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| profiles.update("x", &capital(100.0, 101.0)));
            }
        });
        assert_eq!(violations(&profiles), round);
        profiles.update("x", &capital(100.0, 0.0));
    }
}

#[test]
fn a_profile_that_returns_during_its_removal_keeps_its_slot() {
    let profiles = with_limit(1);
    let later = GRACE * 2;
    for _ in 0..200 {
        let id = profiles.id("x").expect("a place");
        assert!(profiles.known.lock().remove(&id, Duration::ZERO));
        drop(id);
        std::thread::scope(|scope| {
            scope.spawn(|| profiles.known.lock().forget(later));
            scope.spawn(|| {
                let id = profiles.id("x").expect("a place");
                profiles.known.lock().restored(&id, &profiles.clock);
            });
        });
        assert!(profiles.id("x").is_some());
        assert!(profiles.id("y").is_none(), "there is one place");
    }
}

#[test]
fn the_end_of_a_grace_period_is_reported_once() {
    let profiles = with_limit(1);
    let held = profiles.id("x").expect("a place");
    profiles.known.lock().remove(&held, Duration::ZERO);
    assert!(profiles.known.lock().forget(GRACE.saturating_sub(Duration::from_nanos(1))).is_empty());
    assert_eq!(profiles.known.lock().forget(GRACE), [Arc::from("x")]);
    assert!(profiles.known.lock().forget(GRACE * 2).is_empty());
    drop(held);
    assert!(profiles.known.lock().forget(GRACE * 2).is_empty());
    assert!(profiles.known.lock().states().next().is_none());
}

#[test]
fn profiles_over_the_limit_are_tracked_separately() {
    let profiles = with_limit(0);
    for _ in 0..5 {
        profiles.update("falls", &capital(1.0, 2.0));
        profiles.update("stands", &capital(2.0, 1.0));
    }
    assert_eq!(other_violations(&profiles), 1);
    profiles.update("falls", &capital(2.0, 1.0));
    profiles.update("falls", &capital(1.0, 2.0));
    assert_eq!(other_violations(&profiles), 2);
}

#[test]
fn a_tracked_fall_counts_once_while_many_others_are_below_zero() {
    let profiles = with_limit(0);
    let falls = |id: usize| profiles.update(&id.to_string(), &available(-1.0));
    (0..MOST_OVER).for_each(falls);
    let all = other_violations(&profiles);
    falls(7);
    assert_eq!(other_violations(&profiles), all, "it stayed below zero");
    falls(MOST_OVER);
    falls(MOST_OVER);
    assert_eq!(other_violations(&profiles), all + 2, "there is no room to remember it");
}

#[test]
fn profiles_below_zero_take_no_grace_period_from_removed_ones() {
    let profiles = with_limit(0);
    (0..MOST_OVER).for_each(|id| profiles.update(&id.to_string(), &available(-1.0)));
    assert!(profiles.known.lock().remove(&Arc::from("x"), Duration::ZERO));
}

#[test]
fn a_violation_during_a_removal_is_not_lost() {
    let long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    for round in 1..=if long { 200_000 } else { 500 } {
        let profiles = with_limit(1);
        let held = profiles.id("x").expect("a place");
        profiles.update("x", &available(0.0));
        profiles.known.lock().remove(&held, Duration::ZERO);
        std::thread::scope(|scope| {
            scope.spawn(|| profiles.known.lock().forget(GRACE));
            scope.spawn(|| {
                for _ in 0..round % 50 {
                    std::hint::spin_loop();
                }
                profiles.update("x", &available(-1.0));
                drop(held);
            });
        });
        assert_eq!(violations(&profiles), 1);
    }
}

#[test]
fn a_fall_over_the_limit_is_not_counted_again_with_a_slot() {
    let profiles = with_limit(0);
    profiles.update("x", &available(-1.0));
    profiles.configure(1, 0.0);
    profiles.update("x", &available(-2.0));
    assert_eq!(violations(&profiles) + other_violations(&profiles), 1);
    profiles.update("x", &available(0.0));
    profiles.update("x", &available(-1.0));
    assert_eq!(violations(&profiles), 1);
}
