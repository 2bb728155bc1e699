use std::collections::BTreeMap;
use std::time::Duration;

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::testing::{Samples, instance, with_manual_clock};
use bot_metrics::{LabelValue as _, Metrics, Mode, Settings};

const EVENTS: &str = "bytelyst_bot_operational_events_total";

/// Records to each family of this file, for the tests of the whole catalogue.
pub(crate) fn record(metrics: &Metrics) {
    metrics.event(Severity::Info, EventType::Started).record();
}

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
fn every_expected_pair_of_handles_is_zero_from_the_start() {
    let settings = Settings::new(Mode::Paper)
        .expect_events([(Severity::Critical, EventType::CircuitBreaker)])
        .expect_events([(Severity::Error, EventType::OrderUnknown), (Severity::Info, EventType::Started)]);
    let metrics = settings.build().expect("legal");
    let samples = Samples::of(&metrics);
    for (severity, kind) in [("CRITICAL", "CIRCUIT_BREAKER"), ("ERROR", "ORDER_UNKNOWN"), ("INFO", "STARTED")]
    {
        let labels = [("severity", severity), ("type", kind), ("profile_id", ""), ("symbol", "")];
        assert_eq!(samples.value(EVENTS, &labels), Some(0.0), "{severity} {kind}");
    }
    let first = samples.matching(EVENTS, &[]).count();
    metrics.event(Severity::Critical, EventType::CircuitBreaker).record();
    let samples = Samples::of(&metrics);
    assert_eq!(samples.value(EVENTS, &[("type", "CIRCUIT_BREAKER")]), Some(1.0));
    assert_eq!(samples.matching(EVENTS, &[]).count(), first, "no series appears with its first event");
}

#[test]
fn the_librarys_own_events_are_zero_from_the_first_profile_on() {
    let (metrics, _) = instance();
    let _maker = metrics.profile("maker");
    let labels = [("severity", "ERROR"), ("type", "INVALID_CAPITAL"), ("profile_id", ""), ("symbol", "")];
    assert_eq!(Samples::of(&metrics).value(EVENTS, &labels), Some(0.0));
}

#[test]
fn severities_and_types_are_in_capitals_and_closed() {
    assert_eq!(Severity::VALUES, ["INFO", "WARNING", "ERROR", "CRITICAL"]);
    assert!((15..=30).contains(&EventType::VALUES.len()), "about 20");
    let in_capitals = |value: &&str| value.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    assert!(EventType::VALUES.iter().all(in_capitals), "{:?}", EventType::VALUES);
}

#[test]
fn a_reject_a_failure_and_an_unknown_state_are_three_types() {
    let (metrics, _) = instance();
    for kind in [EventType::OrderRejected, EventType::OrderFailure, EventType::OrderUnknown] {
        metrics.event(Severity::Error, kind).record();
    }
    let samples = Samples::of(&metrics);
    for kind in ["ORDER_REJECTED", "ORDER_FAILURE", "ORDER_UNKNOWN"] {
        assert_eq!(samples.value(EVENTS, &[("type", kind)]), Some(1.0), "{kind}");
    }
}

#[test]
fn the_last_events_with_text_are_kept_and_their_text_is_never_a_label() {
    let (metrics, clock) = instance();
    let secret = "insufficient margin for account 4711";
    for n in 0..130 {
        clock.advance(Duration::from_secs(1));
        let text = format!("{secret}, {n}");
        metrics.event(Severity::Error, EventType::OrderRejected).profile("maker").text(&text).record();
        metrics.event(Severity::Info, EventType::OrderPlaced).symbol("BTCUSDT").record();
    }
    let recent = metrics.recent_events();
    assert_eq!(recent.len(), 64, "those without a text are not among them");
    assert_eq!(
        (recent[0].text.as_str(), recent[63].text.as_str()),
        (&*format!("{secret}, 129"), &*format!("{secret}, 66"))
    );
    let newest = &recent[0];
    assert_eq!((&*newest.severity, &*newest.event_type), ("ERROR", "ORDER_REJECTED"));
    assert_eq!((&*newest.profile, &*newest.symbol), ("maker", ""));
    assert_eq!(newest.at.duration_since(recent[63].at).expect("it is later"), Duration::from_secs(63));
    assert!(!metrics.exposition().contains("insufficient margin"));
    assert_eq!(Samples::of(&metrics).value(EVENTS, &[("type", "ORDER_REJECTED")]), Some(130.0));
}

#[test]
fn the_last_events_of_each_severity_are_kept_however_many_come_of_another() {
    let (metrics, clock) = instance();
    for severity in [Severity::Critical, Severity::Error, Severity::Warning] {
        clock.advance(Duration::from_secs(1));
        metrics.event(severity, EventType::CircuitBreaker).text("grave").record();
    }
    for _ in 0..10_000 {
        metrics.event(Severity::Info, EventType::OrderPlaced).text("routine").record();
    }
    let recent = metrics.recent_events();
    let grave = recent.iter().filter(|event| event.text == "grave").map(|event| &*event.severity);
    assert_eq!(grave.collect::<Vec<_>>(), ["WARNING", "ERROR", "CRITICAL"], "the newest first");
    assert_eq!(recent.len(), 64 + 3);
}

#[test]
fn there_are_50_profiles_200_symbols_and_2000_series_by_default() {
    let (metrics, _) = instance();
    for n in 0..300 {
        metrics.event(Severity::Info, EventType::OrderFilled).profile(&format!("p{n}")).record();
        metrics.event(Severity::Info, EventType::OrderPlaced).symbol(&format!("s{n}")).record();
    }
    let count = |kind| Samples::of(&metrics).matching(EVENTS, &[("type", kind)]).count();
    assert_eq!((count("ORDER_FILLED"), count("ORDER_PLACED")), (51, 201), "and \"other\"");
    for profile in 0..50 {
        for symbol in 0..200 {
            let event = metrics.event(Severity::Info, EventType::OrderFilled);
            event.profile(&format!("p{profile}")).symbol(&format!("s{symbol}")).record();
        }
    }
    let samples = Samples::of(&metrics);
    let of_others = |series: &bot_metrics::testing::Series| {
        ["profile_id", "symbol"].iter().all(|label| matches!(series.labels[*label].as_str(), "" | "other"))
    };
    let taken = samples.matching(EVENTS, &[]).filter(|(series, _)| !of_others(series)).count();
    assert_eq!(taken, 2_000);
    assert_eq!(samples.sum(EVENTS, &[]), 600.0 + 10_000.0, "the totals are exact");
}

#[test]
fn series_without_open_labels_are_never_replaced_by_other() {
    let (settings, _) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(0).symbol_limit(0));
    let metrics = settings.build().expect("legal");
    metrics.event(Severity::Error, EventType::OrderFailure).profile("maker").symbol("BTCUSDT").record();
    metrics.event(Severity::Error, EventType::OrderFailure).record();
    let samples = Samples::of(&metrics);
    let of = |profile, symbol| samples.value(EVENTS, &[("profile_id", profile), ("symbol", symbol)]);
    assert_eq!((of("", ""), of("other", "other")), (Some(1.0), Some(1.0)));
}

#[test]
fn symbols_over_the_limit_go_to_other_with_exact_totals_and_are_counted() {
    let (settings, _) = with_manual_clock(Settings::new(Mode::Paper).symbol_limit(3));
    let metrics = settings.build().expect("legal");
    for symbol in 0..10 {
        metrics.event(Severity::Info, EventType::OrderPlaced).symbol(&format!("S{symbol}")).record();
    }
    let samples = Samples::of(&metrics);
    assert_eq!(samples.matching(EVENTS, &[]).count(), 4);
    assert_eq!(samples.sum(EVENTS, &[]), 10.0);
    assert_eq!(samples.value(EVENTS, &[("symbol", "other")]), Some(7.0));
    let overflow = [("metric", "bytelyst_bot_operational_events_total"), ("label", "symbol")];
    assert_eq!(samples.value("bytelyst_bot_label_overflow_total", &overflow), Some(7.0));
}

#[test]
fn series_over_the_familys_limit_go_to_other_with_exact_totals() {
    let (settings, _) =
        with_manual_clock(Settings::new(Mode::Paper).profile_limit(10_000).symbol_limit(10_000));
    let metrics = settings.build().expect("legal");
    for symbol in 0..3_000 {
        metrics.event(Severity::Info, EventType::OrderPlaced).symbol(&format!("S{symbol}")).record();
    }
    let samples = Samples::of(&metrics);
    assert_eq!(samples.matching(EVENTS, &[]).count(), 2_001);
    assert_eq!(samples.value(EVENTS, &[("symbol", "other")]), Some(1_000.0));
}

#[test]
fn over_the_familys_limit_an_empty_label_stays_empty_and_only_replaced_labels_are_counted() {
    let (settings, _) =
        with_manual_clock(Settings::new(Mode::Paper).profile_limit(10_000).symbol_limit(10_000));
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
        let labels = [("metric", "bytelyst_bot_operational_events_total"), ("label", label)];
        samples.value("bytelyst_bot_label_overflow_total", &labels)
    };
    assert_eq!((overflow("symbol"), overflow("profile_id")), (Some(1.0), Some(0.0)));
}

#[test]
fn events_of_rotating_profiles_vanish_with_them_and_free_their_series() {
    let (metrics, clock) = instance();
    for generation in 0..60 {
        for profile in 0..50 {
            let id = format!("{generation}-{profile}");
            let handle = metrics.profile(&id);
            metrics.event(Severity::Info, EventType::OrderPlaced).profile(&id).record();
            handle.remove();
        }
        let placed = || Samples::of(&metrics).matching(EVENTS, &[("type", "ORDER_PLACED")]).count();
        assert_eq!(placed(), 50, "their grace");
        metrics.write_exposition(&mut std::io::sink()).expect("it takes everything");
        clock.advance(Duration::from_mins(6));
        assert_eq!(placed(), 0);
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
fn ids_that_only_events_use_do_not_count_against_profiles_with_capital() {
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

/// F11 with random labels: texts of few letters, so that many sets would be equal if they were joined.
#[test]
fn random_label_sets_never_merge() {
    let is_long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    let sets: usize = if is_long { 1_000_000 } else { 4_000 };
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut seen = 0;
    while seen < sets {
        let (settings, _) =
            with_manual_clock(Settings::new(Mode::Paper).profile_limit(5_000).symbol_limit(5_000));
        let metrics = settings.build().expect("legal");
        let mut expected = BTreeMap::new();
        // The number of series that a family exports.
        while expected.len() < 1_900 {
            let mut text = || -> String {
                let length = 1 + random(6);
                (0..length)
                    .map(|_| ["1", "INCH", "USDT", "=", "\u{ff}", ","][usize::try_from(random(6)).unwrap()])
                    .collect()
            };
            let set = (text(), text());
            metrics.event(Severity::Info, EventType::OrderFilled).profile(&set.0).symbol(&set.1).record();
            *expected.entry(set).or_insert(0.0) += 1.0;
        }
        let samples = Samples::of(&metrics);
        assert_eq!(samples.matching(EVENTS, &[]).count(), expected.len());
        for (series, value) in samples.matching(EVENTS, &[]) {
            let set = (series.labels["profile_id"].clone(), series.labels["symbol"].clone());
            assert_eq!(expected.get(&set), Some(&value), "{set:?}");
        }
        seen += expected.len();
    }
}

/// A count that wraps would look like a restart, and one that panics would end the bot.
#[test]
fn a_count_of_events_saturates() {
    let (metrics, _) = instance();
    let mut before = 0;
    let mut cancelled = |count| {
        metrics.event(Severity::Info, EventType::OrderCancelled).symbol("BTCUSDT").count(count).record();
        let text = metrics.exposition();
        let line = text.lines().find(|line| line.contains("symbol=\"BTCUSDT\"")).expect("counted");
        let now = line.rsplit_once(' ').expect("a value").1.parse::<u64>().expect("a count");
        assert!(before <= now, "it fell from {before} to {now}");
        before = now;
        now
    };
    assert!(cancelled(u64::MAX) >= 1 << 63);
    assert!(cancelled(3) > 1 << 63);
    assert!(cancelled(u64::MAX - 7) > 1 << 63);
    let metrics = &metrics;
    let elsewhere =
        || metrics.event(Severity::Info, EventType::OrderCancelled).symbol("BTCUSDT").count(u64::MAX);
    std::thread::scope(|scope| {
        scope.spawn(|| elsewhere().record());
    });
    assert_eq!(cancelled(1), u64::MAX);
}
