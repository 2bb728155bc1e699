//! Gauges that are changed by amounts, and counters of floats.

use bot_metrics::testing::{ABSENT, Samples};
use bot_metrics::{Symbol, Value, assert_metric, metrics};

use crate::METRICS;
use crate::labels::Side;

metrics! {
    /// Open positions.
    gauge positions_open
    /// Orders in flight, by side.
    gauge orders_in_flight { side: Side, symbol: Symbol }
    /// A gauge that is changed by values that are no numbers.
    gauge exposure_dollars
    /// The deepest drawdown.
    gauge drawdown_max_percent
    /// Changed by several threads.
    gauge positions_of_all_threads
    /// Fees that were paid, in dollars.
    float_counter fees_paid_dollars_total { side: Side }
    /// Traded volume, in coins.
    float_counter volume_coins_total { symbol: Symbol }
    /// Fees that several threads pay.
    float_counter fees_of_all_threads_total
}

fn invalid(samples: &Samples, metric: &str) -> Option<f64> {
    samples.value("bytelyst_bot_invalid_observations_total", &[("metric", &format!("bytelyst_bot_{metric}"))])
}

#[test]
fn a_gauge_counts_up_and_down_from_0() {
    let metrics = &*METRICS;
    assert_metric!(metrics, "bytelyst_bot_positions_open", ABSENT);
    positions_open().increment();
    positions_open().increment();
    positions_open().decrement();
    assert_metric!(metrics, "bytelyst_bot_positions_open", 1);
    positions_open().set(7.5);
    positions_open().add(1.25);
    positions_open().sub(10.0);
    assert_metric!(metrics, "bytelyst_bot_positions_open", -1.25);
    orders_in_flight(Side::Sell, "BTCUSDT").decrement();
    assert_metric!(metrics, "bytelyst_bot_orders_in_flight{side='sell',symbol='BTCUSDT'}", -1);
}

#[test]
fn a_removed_gauge_counts_from_0_again() {
    let metrics = &*METRICS;
    let kept = orders_in_flight(Side::Buy, "REMOVED");
    kept.add(5.0);
    kept.remove();
    assert_metric!(metrics, "bytelyst_bot_orders_in_flight{symbol='REMOVED'}", ABSENT);
    kept.add(2.0);
    assert_metric!(metrics, "bytelyst_bot_orders_in_flight{symbol='REMOVED'}", 2);
}

#[test]
fn a_gauge_is_never_changed_by_what_is_no_number() {
    let metrics = &*METRICS;
    let exposure = exposure_dollars();
    exposure.add(f64::NAN);
    exposure.set_max(f64::NAN);
    assert_metric!(metrics, "bytelyst_bot_exposure_dollars", ABSENT);
    exposure.set(3.0);
    exposure.add(f64::NAN);
    exposure.sub(f64::NAN);
    exposure.set_max(f64::NAN);
    assert_metric!(metrics, "bytelyst_bot_exposure_dollars", 3);
    exposure.add(f64::INFINITY);
    exposure.sub(f64::INFINITY);
    let samples = Samples::of(metrics);
    assert_metric!(samples, "bytelyst_bot_exposure_dollars", f64::INFINITY, "infinite minus infinite");
    assert_eq!(invalid(&samples, "exposure_dollars"), Some(6.0));
}

#[test]
fn a_maximum_only_rises_and_starts_with_the_first_value() {
    let metrics = &*METRICS;
    for (value, highest) in [(-3.0, -3.0), (-4.0, -3.0), (2.0, 2.0), (1.0, 2.0)] {
        drawdown_max_percent().set_max(value);
        assert_metric!(metrics, "bytelyst_bot_drawdown_max_percent", highest);
    }
}

#[test]
fn changes_by_several_threads_are_all_kept() {
    let metrics = &*METRICS;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    positions_of_all_threads().add(3.0);
                    positions_of_all_threads().decrement();
                    fees_of_all_threads_total().add(0.25);
                }
            });
        }
    });
    assert_metric!(metrics, "bytelyst_bot_positions_of_all_threads", 80_000);
    assert_metric!(metrics, "bytelyst_bot_fees_of_all_threads_total", 10_000);
}

#[test]
fn a_counter_of_floats_adds_amounts_and_refuses_what_would_let_it_fall() {
    let metrics = &*METRICS;
    assert_metric!(metrics, "bytelyst_bot_fees_paid_dollars_total{side='sell'}", 0, "from the start");
    let fees = fees_paid_dollars_total(Side::Buy);
    fees.add(0.075);
    for refused in [-0.01, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        fees.add(refused);
    }
    fees.add(0.0);
    fees.add(1.5);
    let samples = Samples::of(metrics);
    assert_metric!(samples, "bytelyst_bot_fees_paid_dollars_total{side='buy'}", 1.575);
    assert_eq!(invalid(&samples, "fees_paid_dollars_total"), Some(4.0));
    let text = metrics.exposition();
    assert!(text.contains("# TYPE bytelyst_bot_fees_paid_dollars_total counter\n"), "{text}");
    assert!(!text.contains("fees_paid_dollars_total_sum"), "it is no histogram: {text}");
    let family = metrics.snapshot().families.into_iter().find(|f| f.family.name == "fees_paid_dollars_total");
    let values: Vec<_> = family.expect("declared").samples.into_iter().map(|sample| sample.value).collect();
    assert_eq!(values, [Value::FloatCounter(1.575), Value::FloatCounter(0.0)]);
}

#[test]
fn small_amounts_are_kept_beside_a_large_total_which_never_becomes_infinite() {
    let metrics = &*METRICS;
    let volume = volume_coins_total("LARGE");
    volume.add(1e16);
    (0..1_000).for_each(|_| volume.add(1.0));
    assert_metric!(metrics, "bytelyst_bot_volume_coins_total{symbol='LARGE'}", 1e16 + 1_000.0);
    volume.add(f64::MAX);
    volume.add(f64::MAX);
    assert_metric!(metrics, "bytelyst_bot_volume_coins_total{symbol='LARGE'}", f64::MAX);
}

#[test]
fn a_removed_counter_of_floats_comes_back_with_all_that_it_counted() {
    let metrics = &*METRICS;
    let volume = volume_coins_total("REMOVED");
    volume.add(2.5);
    volume.remove();
    volume.add(0.25);
    assert_metric!(metrics, "bytelyst_bot_volume_coins_total{symbol='REMOVED'}", 2.75);
}
