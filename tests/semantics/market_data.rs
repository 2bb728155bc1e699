use std::time::Duration;

use bot_metrics::labels::Exchange;
use bot_metrics::testing::{Samples, instance, locks_taken, with_manual_clock};
use bot_metrics::{Metrics, Mode, Settings};

const LAST_UPDATE: &str = "bytelyst_bot_market_data_last_update_timestamp_seconds";
const OVERFLOW: &[(&str, &str)] =
    &[("metric", "bytelyst_bot_market_data_last_update_timestamp_seconds"), ("label", "symbol")];

/// Records to each family of this file, for the tests of the whole catalogue.
pub(crate) fn record(metrics: &Metrics) {
    metrics.market_data(Exchange::Kraken, "XBTUSD").updated();
}

#[test]
fn the_last_update_is_absent_before_the_first_and_gone_with_the_subscription() {
    let (metrics, clock) = instance();
    let btc = metrics.market_data(Exchange::Binance, "BTCUSDT");
    let labels = [("exchange", "binance"), ("symbol", "BTCUSDT")];
    let value = || Samples::of(&metrics).value(LAST_UPDATE, &labels);
    assert_eq!(value(), None);
    btc.updated();
    let first = value().expect("updated");
    clock.advance(Duration::from_secs(70));
    assert_eq!(value(), Some(first), "it stays without updates");
    metrics.market_data(Exchange::Binance, "BTCUSDT").updated();
    assert_eq!(value(), Some(first + 70.0));
    btc.remove();
    assert_eq!(value(), None);
    btc.updated();
    assert_eq!(value(), Some(first + 70.0), "a kept handle restores it");
}

#[test]
fn an_update_before_or_after_a_suspend_has_its_correct_timestamp_without_a_scrape_in_between() {
    let (metrics, clock) = instance();
    let feed = |symbol| metrics.market_data(Exchange::Binance, symbol);
    let (before, after) = (feed("BEFORE"), feed("AFTER"));
    for _ in 0..100 {
        before.updated();
        after.updated();
        clock.advance(Duration::from_millis(1));
    }
    clock.suspend(Duration::from_hours(8));
    clock.advance(Duration::from_secs(1));
    after.updated();
    clock.advance(Duration::from_secs(9));
    let samples = Samples::of(&metrics);
    let updated = |symbol| samples.value(LAST_UPDATE, &[("symbol", symbol)]).expect("updated");
    let apart = updated("AFTER") - updated("BEFORE");
    assert!((apart - 28_801.001).abs() < 1e-3, "{apart} s apart");
    assert!((updated("BEFORE") - 1_735_689_600.099).abs() < 1e-3, "{}", updated("BEFORE"));
}

/// A manual clock advances only when the test says so.
#[test]
fn an_update_right_before_or_right_after_a_suspend_has_its_correct_timestamp() {
    let (metrics, clock) = instance();
    let btc = metrics.market_data(Exchange::Binance, "BTCUSDT");
    let value = || Samples::of(&metrics).value(LAST_UPDATE, &[("symbol", "BTCUSDT")]);
    btc.updated();
    clock.suspend(Duration::from_hours(1));
    assert_eq!(value(), Some(1_735_689_600.0), "it came before that");
    clock.advance(Duration::from_secs(1));
    btc.updated();
    clock.suspend(Duration::from_hours(1));
    btc.updated();
    assert_eq!(value(), Some(1_735_696_801.0), "it came after that");
}

#[test]
fn symbols_are_limited_and_those_over_the_limit_have_no_series_that_would_hide_a_stale_one() {
    let (settings, _) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(10).symbol_limit(2));
    let metrics = settings.build().expect("legal");
    for (exchange, symbol) in
        [(Exchange::Binance, "A"), (Exchange::Binance, "B"), (Exchange::Okx, "A"), (Exchange::Okx, "C")]
    {
        metrics.market_data(exchange, symbol).updated();
    }
    let samples = Samples::of(&metrics);
    let symbols: Vec<_> =
        samples.matching(LAST_UPDATE, &[]).map(|(series, _)| &*series.labels["symbol"]).collect();
    assert_eq!(symbols, ["A", "B", "A"]);
    assert_eq!(samples.value("bytelyst_bot_label_overflow_total", OVERFLOW), Some(1.0));
}

#[test]
fn a_removed_symbol_frees_its_series_at_once_and_its_kept_handle_waits_for_another() {
    let (settings, _) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(10).symbol_limit(1));
    let metrics = settings.build().expect("legal");
    let [first, second] = ["first", "second"].map(|symbol| metrics.market_data(Exchange::Binance, symbol));
    let symbols = || {
        Samples::of(&metrics)
            .matching(LAST_UPDATE, &[])
            .map(|(series, _)| series.labels["symbol"].clone())
            .collect::<Vec<_>>()
    };
    first.updated();
    second.updated();
    assert_eq!(symbols(), ["first"]);
    first.remove();
    assert!(symbols().is_empty());
    second.updated();
    assert_eq!(symbols(), ["second"]);
    first.updated();
    assert_eq!(symbols(), ["second"]);
    second.remove();
    first.updated();
    assert_eq!(symbols(), ["first"]);
}

#[test]
fn a_feed_that_got_its_series_late_vanishes_when_it_is_removed() {
    let (settings, _) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1));
    let metrics = settings.build().expect("settings that are allowed");
    let [first, second] = ["first", "second"].map(|symbol| metrics.market_data(Exchange::Binance, symbol));
    first.updated();
    second.updated();
    first.remove();
    drop(first);
    let _ = metrics.exposition();
    second.updated();
    let series = || {
        Samples::of(&metrics).matching("bytelyst_bot_market_data_last_update_timestamp_seconds", &[]).count()
    };
    assert_eq!(series(), 1);
    second.remove();
    assert_eq!(series(), 0);
}

#[test]
fn a_symbol_over_the_limit_retries_only_once_a_series_became_free() {
    let (settings, _) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1));
    let metrics = settings.build().expect("settings that are allowed");
    let [first, second] = ["first", "second"].map(|symbol| metrics.market_data(Exchange::Binance, symbol));
    first.updated();
    let locks = |what: &dyn Fn()| {
        let before = locks_taken();
        what();
        locks_taken() - before
    };
    second.updated();
    assert_eq!(locks(&|| (0..1_000).for_each(|_| second.updated())), 0);
    assert_eq!(locks(&|| (0..1_000).for_each(|_| second.clone().updated())), 0, "nor does a clone");
    first.remove();
    assert_eq!(locks(&|| second.updated()), 1, "a series became free and is taken");
    assert_eq!(Samples::of(&metrics).matching(LAST_UPDATE, &[("symbol", "second")]).count(), 1);
    assert_eq!(locks(&|| (0..1_000).for_each(|_| second.updated())), 0, "it is kept");
    let overflow = Samples::of(&metrics).value("bytelyst_bot_label_overflow_total", OVERFLOW);
    assert_eq!(overflow, Some(2_001.0));
}

#[test]
fn a_symbol_that_was_never_updated_takes_no_series_from_others() {
    let (settings, _) = with_manual_clock(Settings::new(Mode::Paper).symbol_limit(1));
    let metrics = settings.build().expect("legal");
    let _never = metrics.market_data(Exchange::Binance, "never");
    metrics.market_data(Exchange::Binance, "other").remove();
    metrics.market_data(Exchange::Binance, "updated").updated();
    assert_eq!(Samples::of(&metrics).matching(LAST_UPDATE, &[("symbol", "updated")]).count(), 1);
}
