//! A bot's own families, in the process-wide instance.

mod arithmetic;
mod bounds;
mod declared_twice;
mod measured;
mod removal;
mod rules;
mod timers;

use std::sync::LazyLock;
use std::time::Duration;

use bot_metrics::testing::Samples;
use bot_metrics::{Metrics, Mode, ProfileId, Settings, Symbol, metrics};

mod labels {
    pub(crate) use bot_metrics::labels::*;

    #[derive(Clone, Copy, Debug, bot_metrics::LabelValue)]
    pub(crate) enum Side {
        Buy,
        Sell,
    }

    #[derive(Clone, Copy, Debug, bot_metrics::LabelValue)]
    pub(crate) enum Venue {
        #[label(extends)]
        Common(Exchange),
        MyBroker,
    }
}

metrics! {
    /// Orders resting at
    /// the exchange.
    gauge orders_resting { side: labels::Side, symbol: Symbol }
    /// Signals that a strategy gave.
    counter signals_total { side: labels::Side, exchange: labels::Exchange };

    /// Restarts of the feed.
    pub counter feed_restarts_total
    /// Time from a signal to the acknowledgement.
    histogram signal_to_ack_seconds { profile: ProfileId }
        buckets(0.05, 0.25, 1) objective(threshold = 0.25, ratio = 0.99)
    /// Fees that were paid.
    counter fees_total { venue: labels::Venue }
    /// Size of an order in dollars; never called.
    histogram order_size_dollars { side: labels::Side } buckets(100, 1_000, 10_000.5)
}

/// The process-wide instance, shared by all tests here; each test has separate families.
static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    feed_restarts_total().add(2);
    bounds::record_before_install();
    Settings::new(Mode::Paper).symbol_limit(bounds::SYMBOLS).install().expect("one installation")
});

#[bot_metrics::counted(fees_total, venue = "kraken")]
fn pay_at_kraken() {}

#[bot_metrics::counted(fees_total, venue = "my_broker")]
fn pay_the_broker() {}

#[test]
fn a_label_that_extends_another_has_a_series_for_each_value_of_both() {
    use bot_metrics::labels::Exchange;

    let metrics = &*METRICS;
    fees_total(labels::Venue::Common(Exchange::Okx)).add(3);
    fees_total(labels::Venue::MyBroker).add(4);
    pay_at_kraken();
    pay_the_broker();
    let samples = Samples::of(metrics);
    for (venue, fees) in [("okx", 3.0), ("my_broker", 5.0), ("kraken", 1.0), ("paper", 0.0)] {
        assert_eq!(samples.value("bytelyst_bot_fees_total", &[("venue", venue)]), Some(fees), "{venue}");
    }
}

#[test]
fn declared_families_are_served_like_the_catalogues() {
    let metrics = &*METRICS;
    let samples = Samples::of(metrics);
    let value = |samples: &Samples, name: &str, labels: &[(&str, &str)]| {
        samples.value(&format!("bytelyst_bot_{name}"), labels)
    };
    assert_eq!(value(&samples, "feed_restarts_total", &[]), Some(2.0), "counted before install");
    assert_eq!(
        samples.matching("bytelyst_bot_signals_total", &[]).count(),
        28,
        "every closed label set is exported"
    );
    assert_eq!(value(&samples, "order_size_dollars_count", &[("side", "sell")]), Some(0.0), "never called");
    assert_eq!(samples.matching("bytelyst_bot_orders_resting", &[]).count(), 0, "a gauge that was never set");

    orders_resting(labels::Side::Buy, "BTCUSDT").set(3.0);
    orders_resting(labels::Side::Buy, "BTCUSDT").set(f64::NAN);
    signals_total(labels::Side::Sell, labels::Exchange::Kraken).increment();
    let ack = signal_to_ack_seconds("maker");
    ack.observe_duration(Duration::from_millis(250));
    for no_observation in [f64::NAN, f64::INFINITY, -1.0] {
        ack.observe(no_observation);
    }
    let samples = Samples::of(metrics);
    let buy = [("side", "buy"), ("symbol", "BTCUSDT"), ("mode", "paper")];
    assert_eq!(value(&samples, "orders_resting", &buy), Some(3.0));
    let kraken = [("side", "sell"), ("exchange", "kraken")];
    assert_eq!(value(&samples, "signals_total", &kraken), Some(1.0));
    for (bound, count) in [("0.05", 0.0), ("0.25", 1.0), ("1", 1.0), ("+Inf", 1.0)] {
        let labels = [("profile", "maker"), ("le", bound)];
        assert_eq!(value(&samples, "signal_to_ack_seconds_bucket", &labels), Some(count), "{bound}");
    }
    assert_eq!(value(&samples, "signal_to_ack_seconds_sum", &[]), Some(0.25));
    let invalid = |metric| {
        value(&samples, "invalid_observations_total", &[("metric", &format!("bytelyst_bot_{metric}"))])
    };
    assert_eq!(invalid("signal_to_ack_seconds"), Some(3.0));
    assert_eq!((invalid("orders_resting"), invalid("order_size_dollars")), (Some(1.0), Some(0.0)));
    assert_eq!(invalid("signals_total"), None, "a counter accepts no invalid values");

    labels_beyond_their_bound_go_to_other(metrics);
    let text = metrics.exposition();
    assert!(text.contains("# HELP bytelyst_bot_orders_resting Orders resting at the exchange.\n"), "{text}");
    assert!(metrics.registry().gather().iter().any(|family| family.name() == "bytelyst_bot_orders_resting"));
}

fn labels_beyond_their_bound_go_to_other(metrics: &Metrics) {
    for number in 0..60 {
        signal_to_ack_seconds(&format!("profile-{number}")).observe(0.1);
    }
    let samples = Samples::of(metrics);
    let name = "bytelyst_bot_signal_to_ack_seconds_count";
    assert_eq!(samples.matching(name, &[]).count(), 51);
    assert_eq!(samples.sum(name, &[]), 61.0, "the total is exact");
    let overflow = [("metric", "bytelyst_bot_signal_to_ack_seconds"), ("label", "profile")];
    assert_eq!(samples.value("bytelyst_bot_label_overflow_total", &overflow), Some(11.0));
}
