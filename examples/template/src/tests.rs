use bot_metrics::prelude::*;
use bot_metrics::{assert_metric, testing};

use crate::bot::Bot;
use crate::{labels, named};

/// The instance of the process: each test asks for the same settings, and gets the same one.
fn metrics() -> Metrics {
    named(Settings::new(Mode::Paper)).install().expect("the same settings in every test")
}

#[tokio::test(start_paused = true)]
async fn a_cycle_gives_a_signal_and_places_an_order() {
    let watch = testing::watch(&metrics());
    Bot::default().trading_cycle().await.expect("the exchange answers");
    let changes = watch.changes();
    assert_metric!(changes, "bytelyst_bot_subsystem_runs_total{subsystem='trading',outcome='ok'}", 1);
    assert_metric!(changes, "sum(bytelyst_bot_signals_total)", 1);
    assert_metric!(changes, "bytelyst_bot_operational_events_total{type='ORDER_PLACED',symbol='BTCUSDT'}", 1);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_order_is_a_warning_and_not_unknown() {
    let watch = testing::watch(&metrics());
    let order = Bot::default().exchange.place_order("BTCUSDT", labels::Side::Buy, 5_000.0).await;
    assert!(order.is_err());
    let changes = watch.changes();
    let rejected = "exchange='my_exchange',operation='place_order',outcome='rejected'";
    assert_metric!(changes, &format!("bytelyst_bot_exchange_api_requests_total{{{rejected}}}"), 1);
    assert_metric!(changes, "sum(bytelyst_bot_operational_events_total{type='ORDER_REJECTED'})", 1);
    assert_metric!(changes, "sum(bytelyst_bot_operational_events_total{type='ORDER_UNKNOWN'})", 0);
}
