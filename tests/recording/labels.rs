use bot_metrics::labels::{EventType, Severity};
use bot_metrics::testing::{Samples, instance};
use bot_metrics::{Symbol, metrics};

use crate::allocator::in_use;
use crate::{METRICS, full};

const EVENTS: &str = "bytelyst_bot_operational_events_total";

/// F11: pairs that other libraries merge because they concatenate or hash.
#[test]
fn label_sets_never_merge() {
    let (metrics, _) = instance();
    let sets = [("1", "1INCHUSDT"), ("11", "INCHUSDT"), ("77kepQFQ8Kl", "BTC"), ("!0IC=VloaY", "BTC")];
    for (count, (profile, symbol)) in (1..).zip(sets) {
        let event = metrics.event(Severity::Error, EventType::OrderFailure);
        event.profile(profile).symbol(symbol).count(count).record();
    }
    let samples = Samples::of(&metrics);
    for (count, (profile, symbol)) in (1_u32..).zip(sets) {
        let labels = [("profile_id", profile), ("symbol", symbol)];
        assert_eq!(samples.value(EVENTS, &labels), Some(f64::from(count)), "{profile} {symbol}");
    }
}

metrics! {
    /// Quotes of any symbol.
    counter quotes_total { severity: Severity, symbol: Symbol }
}

/// F13 for a bot's own family: at most as many series as the label's limit plus "other", without further memory.
#[test]
fn any_number_of_own_label_sets_becomes_a_bounded_number_of_series() {
    let sets: u32 = if full() { 10_000_000 } else { 50_000 };
    let _metrics = &*METRICS;
    let record = |n: u32| quotes_total(Severity::Info, &format!("SYMBOL{n}")).increment();
    (0..2_000).for_each(record);
    let before = in_use();
    (2_000..sets).for_each(record);
    // Concurrent tests use some memory.
    assert!(in_use() - before < 4 << 20, "{} bytes more", in_use() - before);
    // A symbol with a series is still found.
    quotes_total(Severity::Info, "SYMBOL7").increment();
    let samples = Samples::of(&METRICS);
    let name = "bytelyst_bot_quotes_total";
    assert_eq!(samples.matching(name, &[]).count(), 201);
    assert_eq!(samples.sum(name, &[]), f64::from(sets) + 1.0);
    assert_eq!(samples.value(name, &[("symbol", "SYMBOL7")]), Some(2.0));
    let overflow = [("metric", "bytelyst_bot_quotes_total"), ("label", "symbol")];
    let replaced = samples.value("bytelyst_bot_label_overflow_total", &overflow);
    assert_eq!(replaced, Some(f64::from(sets - 200)));
}

/// F13.
#[test]
fn any_number_of_label_sets_becomes_a_bounded_number_of_series_and_nothing_is_lost() {
    let sets: u32 = if full() { 10_000_000 } else { 50_000 };
    let (metrics, _) = instance();
    let record = |n: u32| {
        let symbol = format!("SYMBOL{n}");
        metrics.event(Severity::Info, EventType::OrderFilled).symbol(&symbol).record();
    };
    (0..1_000).for_each(record);
    let before = in_use();
    (1_000..sets).for_each(record);
    // Concurrent tests use some memory.
    assert!(in_use() - before < 4 << 20, "{} bytes more", in_use() - before);
    let samples = Samples::of(&metrics);
    assert_eq!(samples.sum(EVENTS, &[("type", "ORDER_FILLED")]), f64::from(sets));
    // 200 symbols plus "other".
    assert_eq!(samples.matching(EVENTS, &[("type", "ORDER_FILLED")]).count(), 201);
}
