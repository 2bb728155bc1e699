//! Series that are removed and return.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use bot_metrics::testing::Samples;
use bot_metrics::{LabelType, ProfileId, metrics};

use crate::METRICS;

/// An open label of at most three values.
struct Strategy;

impl bot_metrics::Label for Strategy {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType::open("strategy", 3);

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}

metrics! {
    /// Positions held.
    gauge positions_held { strategy: Strategy }
    /// Positions that are moved to another account.
    gauge positions_moved { strategy: Strategy }
    /// Positions that wait.
    gauge positions_waiting { strategy: Strategy }
    /// Positions that are lent.
    gauge positions_lent { strategy: Strategy }
    /// Orders of a strategy.
    counter strategy_orders_total { strategy: Strategy }
    /// How far a profile borrows.
    gauge leverage { profile: ProfileId }
}

fn held(strategy: &str) -> Option<f64> {
    Samples::of(&METRICS).value("bytelyst_bot_positions_held", &[("strategy", strategy)])
}

#[test]
fn a_removed_gauge_vanishes_at_once_and_comes_back_through_a_kept_handle_while_there_is_room() {
    let kept = positions_held("one");
    for (strategy, value) in [("one", 1.0), ("two", 2.0), ("three", 3.0), ("four", 4.0)] {
        positions_held(strategy).set(value);
    }
    assert_eq!(
        (held("one"), held("four"), held("other")),
        (Some(1.0), None, None),
        "a value for several label sets would be wrong for each"
    );
    positions_held("four").remove();
    kept.remove();
    assert_eq!(held("one"), None);
    kept.set(5.0);
    assert_eq!(held("one"), Some(5.0), "a series is still free");
    kept.remove();
    positions_held("four").set(6.0);
    assert_eq!(held("four"), Some(6.0), "the series is free");
    kept.set(7.0);
    assert_eq!(held("one"), None, "three are allowed, and three exist");
    positions_held("two").remove();
    positions_held("one").clone().set(8.0);
    assert_eq!(held("one"), Some(8.0));
    kept.set(9.0);
    assert_eq!(held("one"), Some(9.0), "one series for all handles");
}

#[test]
fn any_number_of_kept_handles_have_at_most_as_many_series_as_are_allowed() {
    let _metrics = &*METRICS;
    let kept: Vec<_> = (0..100).map(|n| positions_moved(&n.to_string())).collect();
    let series = || Samples::of(&METRICS).matching("bytelyst_bot_positions_moved", &[]).count();
    let overflow = || {
        let labels = [("metric", "bytelyst_bot_positions_moved"), ("label", "strategy")];
        Samples::of(&METRICS).value("bytelyst_bot_label_overflow_total", &labels)
    };
    for gauge in &kept {
        gauge.set(1.0);
        gauge.remove();
    }
    assert_eq!(series(), 0);
    let before = overflow().unwrap_or(-1.0);
    for gauge in &kept {
        gauge.set(2.0);
    }
    assert_eq!((series(), overflow()), (3, Some(before + 97.0)));
    kept[..3].iter().for_each(bot_metrics::Gauge::remove);
    kept.iter().rev().for_each(|gauge| gauge.set(3.0));
    assert_eq!(series(), 3);
    let last = Samples::of(&METRICS).value("bytelyst_bot_positions_moved", &[("strategy", "99")]);
    assert_eq!(last, Some(3.0), "it was the first to record");
}

#[test]
fn a_kept_handle_over_the_limit_gets_the_series_that_becomes_free() {
    let _metrics = &*METRICS;
    ["a", "b", "c"].map(positions_waiting).iter().for_each(|gauge| gauge.set(1.0));
    let kept = positions_waiting("kept");
    let value = || {
        let name = "bytelyst_bot_positions_waiting";
        Samples::of(&METRICS).value(name, &[("strategy", "kept")])
    };
    kept.set(2.0);
    assert_eq!(value(), None);
    positions_waiting("b").remove();
    kept.set(3.0);
    assert_eq!(value(), Some(3.0));
    kept.clone().remove();
    assert_eq!(value(), None, "its own");
    kept.set(4.0);
    assert_eq!(value(), Some(4.0));
}

#[test]
fn a_kept_handle_over_the_limit_removes_the_series_that_another_handle_has_set_since() {
    let _metrics = &*METRICS;
    ["a", "b", "c"].map(positions_lent).iter().for_each(|gauge| gauge.set(1.0));
    let kept = positions_lent("late");
    kept.remove();
    positions_lent("b").remove();
    positions_lent("late").set(2.0);
    let value = |strategy| {
        let name = "bytelyst_bot_positions_lent";
        Samples::of(&METRICS).value(name, &[("strategy", strategy)])
    };
    assert_eq!(value("late"), Some(2.0));
    kept.remove();
    assert_eq!((value("late"), value("a")), (None, Some(1.0)));
}

#[test]
fn gauges_of_a_removed_profile_vanish_with_it_and_come_back_when_they_are_set() {
    let value = |profile| Samples::of(&METRICS).value("bytelyst_bot_leverage", &[("profile", profile)]);
    let (kept, stays) = (leverage("leaves"), leverage("stays"));
    kept.set(3.0);
    stays.set(2.0);
    METRICS.profile("leaves").remove();
    assert_eq!((value("leaves"), value("stays")), (None, Some(2.0)));
    kept.set(4.0);
    assert_eq!(value("leaves"), Some(4.0));
}

/// F16.
#[test]
fn no_count_through_a_kept_handle_is_lost_while_others_remove_the_series() {
    let _metrics = &*METRICS;
    let is_long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    let (threads, counts): (u32, u32) = if is_long { (64, 500_000) } else { (4, 20_000) };
    let done = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let kept = strategy_orders_total("kept");
                for n in 0..counts {
                    kept.increment();
                    if n % 16 == 0 {
                        strategy_orders_total("kept").add(0);
                    }
                }
                done.fetch_add(1, Relaxed);
            });
        }
        scope.spawn(|| {
            let mut removals = 0;
            while removals < 200 || done.load(Relaxed) < threads {
                strategy_orders_total("kept").remove();
                drop(METRICS.exposition());
                removals += 1;
            }
            println!("{removals} removals beside {} counts", u64::from(threads) * u64::from(counts));
        });
    });
    let labels = [("strategy", "kept")];
    let value = Samples::of(&METRICS).value("bytelyst_bot_strategy_orders_total", &labels);
    assert_eq!(value, Some(f64::from(threads * counts)));
}
