//! Orders that the exchange adds to an account or forgets, while a disruption asks for it.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::disruption::Disruption;
use super::order::{Execution, NewOrder};
use super::server::{Floor, TICK};
use super::venue::OrderReference;
use crate::market::{Level, Side, Symbol};

/// [`Disruption::OrphanOrder`] for the account of `api_key`.
pub(super) async fn add_orders(floor: Arc<Floor>, api_key: String) {
    loop {
        floor.disruptions.until(Disruption::OrphanOrder, true).await;
        let placed = floor.trade(|venue, now| {
            let bid = venue.touch(Symbol::BtcUsdt)?.bid;
            venue.place(&api_key, &orphan(bid), now).ok()
        });
        floor.disruptions.until(Disruption::OrphanOrder, false).await;
        if let Some(order) = placed {
            // If the order has been cancelled already, nothing is left to do.
            let _ = floor
                .trade(|venue, now| venue.cancel(&api_key, order.symbol, &OrderReference::Id(order.id), now));
        }
    }
}

/// An order for a hundred dollars, so far from the market that it stays open.
fn orphan(bid: Level) -> NewOrder {
    let price = (bid.price * Decimal::new(9, 1)).round_dp(2);
    NewOrder {
        symbol: Symbol::BtcUsdt,
        side: Side::Buy,
        execution: Execution::Limit(price),
        quantity: (Decimal::ONE_HUNDRED / price).round_dp(5),
        client_id: None,
    }
}

/// [`Disruption::GhostOrder`] for the account of `api_key`.
pub(super) async fn forget_orders(floor: Arc<Floor>, api_key: String) {
    loop {
        floor.disruptions.until(Disruption::GhostOrder, true).await;
        while floor.disruptions.is_on(Disruption::GhostOrder)
            && !floor.trade(|venue, _| venue.forget_oldest(&api_key))
        {
            tokio::time::sleep(TICK).await;
        }
        floor.disruptions.until(Disruption::GhostOrder, false).await;
    }
}
