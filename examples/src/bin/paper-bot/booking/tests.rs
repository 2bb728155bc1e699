use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use bot_metrics_examples::market::Side;
use rust_decimal::Decimal;

use super::*;
use crate::api::{NewOrder, OrderKind};
use crate::own_orders::{LATEST_ARRIVAL, OrderState, OwnOrder};
use crate::rehearsal::Rehearsal;
use crate::tables::StoredProfile;

const ETH: Symbol = Symbol::EthUsdt;

fn order(client_id: &str, price: u32) -> NewOrder {
    NewOrder {
        client_id: client_id.to_owned(),
        symbol: ETH,
        side: Side::Buy,
        kind: OrderKind::PostOnly,
        price: price.into(),
        quantity: 1.into(),
    }
}

/// An exchange on which the order `mine`, number 7, is in this state and one half of it has been executed.
fn exchange_with(status: &str) -> Router {
    let order = format!(
        r#"{{"orderId": 7, "clientOrderId": "mine", "origQty": "1", "executedQty": "0.5", "status": "{status}"}}"#
    );
    let trade = r#"[{"id": 3, "orderId": 7, "price": "1000", "qty": "0.5", "commission": "0", "commissionAsset": "ETH"}]"#;
    Router::new()
        .route("/api/v3/order", get(order))
        .route("/api/v3/openOrders", get("[]"))
        .route("/api/v3/myTrades", get(trade))
}

#[tokio::test]
async fn the_state_of_an_unanswered_order_is_queried() {
    let rehearsal = Rehearsal::start().await;
    let desk = rehearsal.desk();
    for (client_id, arrives) in [("arrived", true), ("lost", false)] {
        let order = order(client_id, 1_000);
        desk.orders().sent(&order);
        if arrives {
            desk.api.place_order(&order).await.unwrap();
        }
        desk.orders().unknown(client_id);
    }
    let unsettled = desk.orders().unsettled(Symbol::EthUsdt);
    desk.settle(Symbol::EthUsdt, unsettled).await.unwrap();
    assert_eq!(rehearsal.bot.journal.tally(Some(desk.profile.id)).placed, 1);
    assert!(matches!(desk.orders().state("arrived"), Some(OrderState::Open { .. })));
    let lost = desk.orders().state("lost");
    assert_eq!(lost, Some(OrderState::Unknown { order_id: None }), "it may still arrive");
    rehearsal.bot.trading_cycle().await.unwrap();
    let open = desk.orders().open_orders(Symbol::EthUsdt).len();
    assert_eq!(open, 1, "no quote is placed beside an order in an unknown state");
    tokio::time::sleep(LATEST_ARRIVAL).await;
    let unsettled = desk.orders().unsettled(Symbol::EthUsdt);
    desk.settle(Symbol::EthUsdt, unsettled).await.unwrap();
    assert!(matches!(desk.orders().state("lost"), Some(OrderState::Closed { .. })));
}

/// An order may arrive after the exchange has looked for it and before the answer is here.
#[tokio::test]
async fn a_late_answer_does_not_close_an_order_that_could_still_arrive_when_it_was_queried() {
    let rehearsal = Rehearsal::start().await;
    let unknown = get(async || {
        tokio::time::sleep(Duration::from_secs(2)).await;
        (StatusCode::BAD_REQUEST, r#"{"code": -2013, "msg": "Order does not exist."}"#)
    });
    let desk = rehearsal.desk_on(Router::new().route("/api/v3/order", unknown)).await;
    desk.orders().sent(&order("mine", 1_000));
    desk.orders().unknown("mine");
    tokio::time::sleep(LATEST_ARRIVAL.saturating_sub(Duration::from_millis(1_500))).await;
    desk.settle(ETH, vec!["mine".to_owned()]).await.unwrap();
    assert_eq!(desk.orders().state("mine"), Some(OrderState::Unknown { order_id: None }));
    desk.settle(ETH, vec!["mine".to_owned()]).await.unwrap();
    let ended = OrderState::Closed { order_id: None, ended: End::NotFound };
    assert_eq!(desk.orders().state("mine"), Some(ended));
}

#[tokio::test]
async fn the_trades_of_an_order_that_is_not_confirmed_yet_are_booked_later() {
    let rehearsal = Rehearsal::start().await;
    let desk = rehearsal.desk();
    desk.collect_fills(Symbol::EthUsdt).await.unwrap();
    let taker = NewOrder { kind: OrderKind::Limit, quantity: Decimal::new(1, 2), ..order("taker", 9_000) };
    desk.orders().sent(&taker);
    let report = desk.api.place_order(&taker).await.unwrap();
    desk.collect_fills(Symbol::EthUsdt).await.unwrap();
    assert_eq!(rehearsal.bot.journal.tally(Some(desk.profile.id)).executions, 0, "no id, no trades");
    assert_eq!(rehearsal.bot.reconcile().await.unwrap(), crate::reconciliation::Report::default());
    desk.orders().opened("taker", report.order_id);
    desk.collect_fills(Symbol::EthUsdt).await.unwrap();
    assert_eq!(rehearsal.bot.journal.tally(Some(desk.profile.id)).filled, 1);
}

#[tokio::test]
async fn an_order_that_was_cancelled_by_hand_is_a_ghost_whose_trades_and_end_are_booked() {
    let rehearsal = Rehearsal::start().await;
    for (status, ended, cancelled) in
        [("CANCELED", End::Cancelled, 1), ("EXPIRED", End::Expired, 1), ("REJECTED", End::Expired, 1)]
    {
        let desk = rehearsal.desk_on(exchange_with(status)).await;
        desk.orders().begin_trades(ETH, 3);
        desk.orders().sent(&order("mine", 1_000));
        desk.orders().opened("mine", 7);
        assert_eq!(desk.compare_orders().await.unwrap().len(), 1, "{status}");
        let state = OrderState::Closed { order_id: Some(7), ended };
        assert_eq!(desk.orders().state("mine"), Some(state), "{status}");
        assert_eq!(desk.orders().position(ETH).quantity, Decimal::new(5, 1), "{status}");
        assert_eq!(rehearsal.events("ORDER_CANCELLED"), cancelled, "{status}");
        assert_eq!(desk.compare_orders().await.unwrap(), [], "{status}");
    }
    assert_eq!(rehearsal.events("ORDER_FILLED"), 3);
}

/// The bot was killed between the last trade of an order and its end.
#[tokio::test]
async fn a_filled_order_whose_trades_are_all_booked_is_closed() {
    let rehearsal = Rehearsal::start().await;
    for (executed, is_closed) in [(Decimal::ONE, true), (Decimal::ZERO, false)] {
        let NewOrder { client_id, symbol, side, price, quantity, .. } = order("mine", 1_000);
        let (state, sent_at) = (OrderState::Open { order_id: 7 }, Duration::ZERO);
        let stored = OwnOrder { client_id, symbol, side, price, quantity, executed, state, sent_at };
        let stored = StoredProfile { orders: vec![stored], ..StoredProfile::default() };
        let desk = rehearsal.desk_that_continues(stored, exchange_with("FILLED")).await;
        desk.settle(ETH, vec!["mine".to_owned()]).await.unwrap();
        assert_eq!(desk.orders().open_count() == 0, is_closed, "{executed}");
    }
    assert_eq!(rehearsal.events("ORDER_PLACED"), 0, "the earlier run has counted it");
}

#[tokio::test]
async fn an_order_that_the_exchange_rejected_later_was_never_placed() {
    let rehearsal = Rehearsal::start().await;
    let known = r#"{"orderId": 7, "clientOrderId": "mine", "origQty": "1", "executedQty": "0", "status": "REJECTED"}"#;
    let desk = rehearsal.desk_on(Router::new().route("/api/v3/order", get(known))).await;
    desk.orders().sent(&order("mine", 1_000));
    desk.orders().unknown("mine");
    desk.settle(ETH, vec!["mine".to_owned()]).await.unwrap();
    let state = OrderState::Closed { order_id: None, ended: End::Expired };
    assert_eq!(desk.orders().state("mine"), Some(state));
    assert_eq!(rehearsal.events("ORDER_PLACED"), 0);
}
