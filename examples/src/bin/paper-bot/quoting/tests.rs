use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use bot_metrics_examples::fault::Fault;
use bot_metrics_examples::market::Side;

use super::*;
use crate::api::OrderKind;
use crate::own_orders::OrderState;
use crate::rehearsal::Rehearsal;

fn order(client_id: &str, price: u32) -> NewOrder {
    let (symbol, side, kind) = (Symbol::EthUsdt, Side::Buy, OrderKind::PostOnly);
    NewOrder { client_id: client_id.to_owned(), symbol, side, kind, price: price.into(), quantity: 1.into() }
}

#[tokio::test]
async fn every_outcome_of_placing_is_recorded() {
    let rehearsal = Rehearsal::start().await;
    let desk = rehearsal.desk();
    desk.submit(order("stands", 1_000)).await.unwrap();
    desk.submit(order("takes", 9_000)).await.unwrap();
    rehearsal.faults.begin(Fault::RateLimit);
    let refused = desk.submit(order("refused", 1_000)).await;
    assert!(matches!(refused, Err(BotError::Api(ApiError::RateLimited { .. }))), "{refused:?}");
    rehearsal.faults.end(Fault::RateLimit);
    let held_back = desk.submit(order("held back", 1_000)).await;
    assert!(
        matches!(held_back, Err(BotError::HeldBack { .. })),
        "the wait outlives the fault: {held_back:?}"
    );

    let tally = rehearsal.bot.journal.tally(Some(desk.profile.id));
    assert_eq!((tally.placed, tally.rejected, tally.errors), (1, 1, 1));
    assert!(matches!(desk.orders().state("stands"), Some(OrderState::Open { .. })));
    for client_id in ["takes", "refused", "held back"] {
        assert!(matches!(desk.orders().state(client_id), Some(OrderState::Closed { .. })), "{client_id}");
    }
}

/// A desk on an exchange that accepts each order but answers with this status and body, and knows the order when
/// queried.
async fn desk_that_is_answered(rehearsal: &Rehearsal, status: u16, body: &'static str) -> Desk {
    let answer = (StatusCode::from_u16(status).unwrap(), body);
    let known =
        r#"{"orderId": 7, "clientOrderId": "placed", "origQty": "1", "executedQty": "0", "status": "NEW"}"#;
    rehearsal.desk_on(Router::new().route("/api/v3/order", get(known).post(answer))).await
}

/// A desk on an exchange whose answer breaks off within its body.
fn desk_whose_answer_breaks_off(rehearsal: &Rehearsal, status: &'static str) -> Desk {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 4_096]).unwrap();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 100\r\n\r\n{{\"code\":");
        connection.write_all(answer.as_bytes()).unwrap();
    });
    rehearsal.desk_at(&url)
}

#[tokio::test]
async fn an_order_that_may_have_been_placed_is_never_counted_as_rejected_but_queried() {
    let rehearsal = Rehearsal::start().await;
    let cases = [
        (400, r#"{"code":-1007,"msg":"Timeout waiting for response from backend server."}"#),
        (400, r#"{"code":-1006,"msg":"An unexpected response was received."}"#),
        (400, r#"{"code":-1000,"msg":"An unknown error occurred."}"#),
        (408, ""),
        (408, r#"{"code":-2010,"msg":"no money"}"#),
        (400, "<html>"),
        (503, r#"{"code":-2010,"msg":"no money"}"#),
    ];
    for (count, (status, body)) in (1..).zip(cases) {
        let desk = desk_that_is_answered(&rehearsal, status, body).await;
        desk.submit(order("placed", 1_000)).await.unwrap();
        assert!(matches!(desk.orders().state("placed"), Some(OrderState::Unknown { .. })), "{status} {body}");
        assert_eq!(rehearsal.events("ORDER_UNKNOWN"), count, "{status} {body}");
        assert_eq!(rehearsal.events("ORDER_REJECTED") + rehearsal.events("ORDER_FAILURE"), 0);
        let unsettled = desk.orders().unsettled(Symbol::EthUsdt);
        desk.settle(Symbol::EthUsdt, unsettled).await.unwrap();
        assert!(matches!(desk.orders().state("placed"), Some(OrderState::Open { order_id: 7 })));
    }
    assert_eq!(rehearsal.count("exchange_api_requests_total", "outcome=\"timeout\""), 3);
    assert_eq!(rehearsal.count("exchange_api_requests_total", "outcome=\"rejected\""), 0);
}

/// The status has the same meaning as the missing body.
#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_classified_by_its_status() {
    let rehearsal = Rehearsal::start().await;
    for (status, outcome) in
        [("403 Forbidden", "banned"), ("418 Banned", "banned"), ("429 Too Many", "rate_limited")]
    {
        let of_outcome = format!("outcome=\"{outcome}\"");
        let before = rehearsal.count("exchange_api_requests_total", &of_outcome);
        let desk = desk_whose_answer_breaks_off(&rehearsal, status);
        let refused = desk.submit(order("placed", 1_000)).await;
        assert!(desk.held_back().is_some(), "{status}: {refused:?}");
        assert_eq!(rehearsal.count("exchange_api_requests_total", &of_outcome), before + 1, "{status}");
    }
    let desk = desk_whose_answer_breaks_off(&rehearsal, "400 Bad Request");
    desk.submit(order("placed", 1_000)).await.unwrap();
    assert!(matches!(desk.orders().state("placed"), Some(OrderState::Unknown { .. })));
}

#[tokio::test]
async fn a_firewall_s_answer_counts_as_a_ban() {
    let rehearsal = Rehearsal::start().await;
    let desk = desk_that_is_answered(&rehearsal, 403, "<html>Forbidden</html>").await;
    let refused = desk.submit(order("placed", 1_000)).await;
    assert!(matches!(refused, Err(BotError::Api(ApiError::Banned { .. }))), "{refused:?}");
    assert_eq!((rehearsal.events("BANNED"), rehearsal.events("ORDER_UNKNOWN")), (1, 0));
    assert_eq!(rehearsal.count("exchange_api_requests_total", "outcome=\"banned\""), 1);
    assert!(
        desk.held_back().is_some_and(|left| left > Duration::from_mins(1)),
        "otherwise it would ask for ever"
    );
}

#[tokio::test]
async fn cancelling_a_filled_order_waits_for_its_trades() {
    let rehearsal = Rehearsal::start().await;
    let desk = rehearsal.desk();
    rehearsal.bot.trading_cycle().await.unwrap();
    let order = desk.orders().open_orders(Symbol::EthUsdt)[0].clone();
    desk.api.cancel_order(Symbol::EthUsdt, &order.client_id).await.unwrap();
    desk.cancel(Symbol::EthUsdt, &order.client_id).await.unwrap();
    assert!(matches!(desk.orders().state(&order.client_id), Some(OrderState::Open { .. })));
}

#[tokio::test]
async fn an_order_that_another_loop_has_closed_is_not_cancelled() {
    let rehearsal = Rehearsal::start().await;
    let desk = rehearsal.desk();
    desk.submit(order("mine", 1_000)).await.unwrap();
    // The plan of this loop contains it; then another loop books its last trade.
    desk.orders().closed("mine", End::Filled);
    desk.cancel(Symbol::EthUsdt, "mine").await.unwrap();
    assert!(matches!(desk.orders().state("mine"), Some(OrderState::Closed { ended: End::Filled, .. })));
    assert_eq!(rehearsal.count("exchange_api_requests_total", "operation=\"cancel_order\""), 0);
    assert_eq!(rehearsal.events("ORDER_CANCELLED"), 0);
}

#[tokio::test]
async fn a_stopped_profile_has_no_orders_and_trades_no_more() {
    let rehearsal = Rehearsal::start().await;
    let desk = rehearsal.desk();
    rehearsal.bot.trading_cycle().await.unwrap();
    rehearsal.bot.stop_profile(&desk).await;
    rehearsal.bot.trading_cycle().await.unwrap();
    assert_eq!(desk.api.get_open_orders().await.unwrap(), []);
    assert_eq!(rehearsal.bot.roster.active().len(), 1);
    rehearsal.bot.start_profile(&desk).await;
    rehearsal.bot.monitor_cycle().await.unwrap();
    rehearsal.bot.trading_cycle().await.unwrap();
    assert!(!desk.api.get_open_orders().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_overdrawn_profile_cancels_its_quotes_until_it_recovers() {
    let rehearsal = Rehearsal::start().await;
    let desk = rehearsal.desk();
    rehearsal.bot.trading_cycle().await.unwrap();
    rehearsal.faults.begin(Fault::NegativeCapital);
    let capital = desk.check_capital(&rehearsal.bot.market).await.unwrap();
    assert!(capital.available() < Decimal::ZERO, "{capital:?}");
    rehearsal.bot.trading_cycle().await.unwrap();
    assert_eq!(desk.api.get_open_orders().await.unwrap(), []);
    let capital = desk.check_capital(&rehearsal.bot.market).await.unwrap();
    assert!(capital.available() < Decimal::ZERO, "the coins alone are too much: {capital:?}");
    rehearsal.faults.end(Fault::NegativeCapital);
    rehearsal.bot.monitor_cycle().await.unwrap();
    rehearsal.bot.trading_cycle().await.unwrap();
    assert!(!desk.api.get_open_orders().await.unwrap().is_empty());
}
