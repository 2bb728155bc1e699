use bot_metrics::labels::{EventType, Severity};
use bot_metrics::testing::{Samples, instance};

use crate::allocator::in_use;
use crate::full;

const EVENTS: &str = "bytelyst_bot_operational_events_total";

/// F11: pairs that other libraries merge, since they concatenate or hash.
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
    // Other tests run beside this one and use some.
    assert!(in_use() - before < 4 << 20, "{} bytes more", in_use() - before);
    let samples = Samples::of(&metrics);
    assert_eq!(samples.sum(EVENTS, &[("type", "ORDER_FILLED")]), f64::from(sets));
    assert!(samples.matching(EVENTS, &[]).count() <= 2_000);
}
