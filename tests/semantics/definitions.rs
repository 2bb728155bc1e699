//! The exact values of the settings and the built-in labels.

use bot_metrics::labels::{EventType, Exchange, Operation, RateLimit, Severity, Source, Subsystem};
use bot_metrics::testing::{Samples, instance, with_manual_clock};
use bot_metrics::{Capital, Env, LabelValue, Mode, Outcome, Settings};

#[test]
fn label_and_behaviour_cannot_disagree() {
    for (mode, label, is_paper) in [(Mode::Paper, "paper", true), (Mode::Live, "live", false)] {
        let metrics = Settings::new(mode).env(Env::Production).build().expect("legal");
        assert_eq!((metrics.settings().mode(), metrics.settings().is_paper()), (mode, is_paper));
        let samples = Samples::of(&metrics);
        let labels = [("app", "bytelyst-trading-bot-service"), ("env", "production"), ("mode", label)];
        assert!(samples.iter().next().is_some());
        for (series, _) in samples.iter() {
            assert!(labels.iter().all(|(name, value)| series.labels[*name] == *value), "{series:?}");
        }
    }
}

#[test]
fn build_info_has_its_labels_and_keeps_an_exposition_from_being_empty() {
    let (settings, _) = with_manual_clock(Settings::new(Mode::Paper).version("1.2.3").revision("4f5e6d7"));
    let labels = [("version", "1.2.3"), ("revision", "4f5e6d7")];
    let metrics = settings.build().expect("legal");
    assert_eq!(Samples::of(&metrics).value("bytelyst_bot_build_info", &labels), Some(1.0));
    assert!(instance().0.exposition().contains("bytelyst_bot_build_info{"));
}

/// A changed text changes a series, which alerts and dashboards select by it.
#[test]
fn the_built_in_label_values_have_exactly_these_texts() {
    for (values, expected) in [
        (Subsystem::VALUES, "trading, monitor, reconciliation"),
        (
            Operation::VALUES,
            "place_order, cancel_order, cancel_all_orders, replace_order, get_order, get_open_orders, get_balances, \
             get_positions, get_account, get_ticker, get_order_book, get_trades, get_candles, get_exchange_info, \
             get_server_time, subscribe",
        ),
        (
            Exchange::VALUES,
            "binance, bybit, okx, coinbase, kraken, bitfinex, bitstamp, kucoin, gate_io, deribit, hyperliquid, alpaca, \
             interactive_brokers, paper",
        ),
        (RateLimit::VALUES, "request_weight, requests, orders, orders_per_day, connections"),
        (Severity::VALUES, "INFO, WARNING, ERROR, CRITICAL"),
        (
            EventType::VALUES,
            "ORDER_PLACED, ORDER_FILLED, ORDER_CANCELLED, ORDER_REJECTED, ORDER_FAILURE, ORDER_UNKNOWN, ORDER_EXPIRED, \
             RISK_BLOCK, CIRCUIT_BREAKER, CAPITAL_VIOLATION, CAPITAL_RESTORED, INVALID_CAPITAL, API_FAILURE, \
             RECONCILIATION_MISMATCH, RATE_LIMITED, BANNED, RECONNECT, STALE_MARKET_DATA, STOP_LOSS, PROFILE_ADDED, \
             PROFILE_REMOVED, CONFIG_CHANGED, INTERNAL_ERROR, STARTED, STOPPED",
        ),
        (Source::VALUES, "db, exchange"),
    ] {
        assert_eq!(values.join(", "), expected);
    }
    assert_eq!((EventType::NAME, Exchange::NAME), ("event type", "exchange"));
}

#[test]
fn the_caps_are_50_profiles_200_symbols_and_2000_series_by_default() {
    let (metrics, _) = instance();
    let profiles: Vec<_> = (0..51).map(|n| metrics.profile(&format!("p{n:02}"))).collect();
    for profile in &profiles {
        profile.update(Capital { allocated: 1.0, ..Capital::default() });
    }
    let samples = Samples::of(&metrics);
    assert_eq!(samples.matching("bytelyst_bot_profile_utilization_percent", &[]).count(), 50);
    let overflow = |samples: &Samples, metric: &str, label: &str| {
        let metric = format!("bytelyst_bot_{metric}");
        samples.value("bytelyst_bot_label_overflow_total", &[("metric", &metric), ("label", label)])
    };
    assert_eq!(overflow(&samples, "capital_invariant_violations_total", "profile_id"), Some(1.0));

    for n in 0..201 {
        let symbol = format!("S{n}");
        metrics.event(Severity::Info, EventType::OrderPlaced).symbol(&symbol).record();
        metrics.market_data(Exchange::Okx, &symbol).updated();
    }
    let samples = Samples::of(&metrics);
    let events = samples.matching("bytelyst_bot_operational_events_total", &[("type", "ORDER_PLACED")]);
    assert_eq!(events.count(), 201, "200 and \"other\"");
    let updates = samples.matching("bytelyst_bot_market_data_last_update_timestamp_seconds", &[]);
    assert_eq!(updates.count(), 200);
    assert_eq!(overflow(&samples, "market_data_last_update_timestamp_seconds", "symbol"), Some(1.0));

    let (settings, _) = with_manual_clock(Settings::new(Mode::Paper).symbol_limit(10_000));
    let metrics = settings.build().expect("legal");
    (0..2_001).for_each(|n| metrics.market_data(Exchange::Okx, &format!("S{n}")).updated());
    let samples = Samples::of(&metrics);
    let updates = samples.matching("bytelyst_bot_market_data_last_update_timestamp_seconds", &[]);
    assert_eq!(updates.count(), 2_000);
}

#[test]
fn a_restarted_bot_has_every_series_that_it_knows_at_0_before_anything_happens() {
    // `increase()` needs this across a restart, to count the first increment.
    let (metrics, _) = instance();
    let _trading = metrics.subsystem(Subsystem::Trading);
    let _placing = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let _maker = metrics.profile("maker");
    let samples = Samples::of(&metrics);
    let zeros = |name: &str| {
        let name = format!("bytelyst_bot_{name}");
        let series: Vec<f64> = samples.matching(&name, &[]).map(|(_, value)| value).collect();
        assert!(series.iter().all(|value| *value == 0.0), "{name}: {series:?}");
        series.len()
    };
    let outcomes = Outcome::VALUES.len();
    assert_eq!(zeros("subsystem_runs_total"), outcomes);
    assert_eq!(zeros("exchange_api_requests_total"), outcomes - 1, "there is none for skipped");
    for (name, series) in [
        ("subsystem_duration_seconds_count", 1),
        ("exchange_api_latency_seconds_count", 1),
        ("exchange_api_in_flight", 1),
        ("capital_invariant_violations_total", 1),
        ("reconciliation_mismatches_total", 1),
        ("reconciliation_mismatches_by_kind_total", 4),
    ] {
        assert_eq!(zeros(name), series, "{name}");
    }
}

/// Runs on several threads at once, so that the first uses of different series overlap.
#[test]
fn equal_label_sets_share_one_series() {
    let (metrics, _) = instance();
    let record = || {
        metrics.exchange_call(Exchange::Okx, Operation::GetOrder).start().finish(Outcome::Ok);
        metrics.subsystem(Subsystem::Monitor).start().finish(Outcome::Ok);
        metrics.event(Severity::Info, EventType::OrderFilled).profile("maker").symbol("BTC").record();
        metrics.profile("maker").update(Capital { allocated: 1.0, positions: 0.5, ..Capital::default() });
        metrics.market_data(Exchange::Okx, "BTC").updated();
        metrics.rate_limit(Exchange::Okx, RateLimit::RequestWeight).set_used(1.0, 4.0);
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(record))));
    let samples = Samples::of(&metrics);
    let value = |name: &str, labels: &[(&str, &str)]| {
        let name = format!("bytelyst_bot_{name}");
        assert_eq!(samples.matching(&name, labels).count(), 1, "{name}");
        samples.value(&name, labels)
    };
    let okx = ("exchange", "okx");
    assert_eq!(value("exchange_api_requests_total", &[okx, ("outcome", "ok")]), Some(4.0));
    assert_eq!(value("subsystem_duration_seconds_count", &[]), Some(4.0));
    assert_eq!(value("operational_events_total", &[("type", "ORDER_FILLED")]), Some(4.0));
    assert_eq!(value("profile_utilization_percent", &[]), Some(50.0));
    assert_eq!(value("exchange_rate_limit_used_ratio", &[]), Some(0.25));
    assert!(value("market_data_last_update_timestamp_seconds", &[okx]).is_some());
}

/// A float would have stopped at 9007199254740992.
#[test]
fn counts_beyond_2_to_the_53_are_exact_from_the_recording_to_the_text() {
    let (metrics, _) = instance();
    let filled = || metrics.event(Severity::Info, EventType::OrderFilled);
    filled().count(1 << 53).record();
    filled().record();
    std::thread::scope(|scope| scope.spawn(|| filled().count(2).record()).join()).expect("it records");
    let text = metrics.exposition();
    let line = text.lines().find(|line| line.contains("type=\"ORDER_FILLED\"")).expect("exported");
    assert!(line.ends_with(" 9007199254740995"), "{line}");
}

#[cfg(unix)]
#[test]
fn no_signal_handler_is_installed() {
    let handlers = || {
        (1..32)
            .map(|signal| {
                // SAFETY: all zeros is a valid value of this type.
                let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
                // SAFETY: no handler is set, and `action` is valid for writing.
                unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
                action.sa_sigaction
            })
            .collect::<Vec<_>>()
    };
    let before = handlers();
    let metrics = Settings::new(Mode::Paper).build().expect("legal");
    let server = metrics.serve("127.0.0.1:0").expect("a port is free");
    assert!(!metrics.exposition().is_empty());
    assert_eq!(handlers(), before);
    drop(server);
    assert_eq!(handlers(), before);
}
