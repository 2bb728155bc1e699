use bot_metrics::EventLayer;
use bot_metrics::testing::{Samples, instance};
use tracing_subscriber::prelude::*;

use crate::allocator::asked;

fn events() {
    tracing::error!("type" = "ORDER_FAILURE", profile_id = "maker", symbol = "BTCUSDT", "not placed");
    tracing::warn!("type" = %"RATE_LIMITED", symbol = ?"ETHUSDT");
    tracing::info!("type" = "STARTED");
    tracing::error!("no type");
}

#[test]
fn the_tracing_layer_allocates_nothing_for_known_types_profiles_and_symbols() {
    const ROUNDS: u32 = 1_000;
    let (metrics, _) = instance();
    let subscriber = tracing_subscriber::registry().with(EventLayer::new(metrics.clone()));
    tracing::subscriber::with_default(subscriber, || {
        events();
        let before = asked();
        for _ in 1..ROUNDS {
            events();
        }
        assert_eq!(asked() - before, 0);
    });
    let counted = Samples::of(&metrics).sum("bytelyst_bot_operational_events_total", &[]);
    assert_eq!(counted, f64::from(2 * ROUNDS));
}
