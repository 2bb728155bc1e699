use std::time::Duration;

use bot_metrics_examples::fault::Fault;
use bot_metrics_examples::market::{Side, Symbol};

use super::*;
use crate::api::{NewOrder, OrderKind, RemoteStatus};
use crate::rehearsal::Rehearsal;

const SENT: OrderState = OrderState::Sent;
const OPEN: OrderState = OrderState::Open { order_id: 1 };
const CANCELLING: OrderState = OrderState::Cancelling { order_id: 1 };
const UNKNOWN: OrderState = OrderState::Unknown { order_id: None };
const CLOSED: OrderState = OrderState::Closed { order_id: Some(1), ended: End::Cancelled };

fn own(state: OrderState, executed: i64) -> OwnOrder {
    OwnOrder {
        client_id: "x".to_owned(),
        symbol: Symbol::EthUsdt,
        side: Side::Buy,
        price: 1_000.into(),
        quantity: 3.into(),
        executed: executed.into(),
        state,
        sent_at: Duration::ZERO,
    }
}

fn orders(order: Option<OwnOrder>) -> Orders {
    order.map(|order| (order.client_id.clone(), order)).into_iter().collect()
}

fn report(quantity: i64, executed: i64) -> OrderReport {
    OrderReport {
        order_id: 1,
        client_order_id: "x".to_owned(),
        orig_qty: quantity.into(),
        executed_qty: executed.into(),
        status: RemoteStatus::New,
    }
}

fn listed(before: Option<OrderState>, after: Option<OrderState>) -> Option<MismatchKind> {
    let stored = |state: Option<OrderState>| orders(state.map(|state| own(state, 0)));
    compare(&stored(before), &report(3, 0), &stored(after))
}

fn is_suspect(before: Option<OrderState>, is_listed: bool, after: Option<OrderState>) -> bool {
    let stored = |state: Option<OrderState>| orders(state.map(|state| own(state, 0)));
    let listed = if is_listed { vec![report(3, 0)] } else { vec![] };
    !suspects(&stored(before), &listed, &stored(after)).is_empty()
}

#[tokio::test]
async fn a_bot_left_alone_agrees_with_the_exchange() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.bot.trading_cycle().await.unwrap();
    assert!(rehearsal.desk().orders().open_count() > 0);
    assert_eq!(rehearsal.bot.reconcile().await.unwrap(), Report::default());
}

#[tokio::test]
async fn filled_orders_are_no_ghosts() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.bot.trading_cycle().await.unwrap();
    rehearsal.clock.advance(Duration::from_mins(1));
    let open = rehearsal.desk().api.get_open_orders().await.unwrap().len();
    assert!(open < rehearsal.desk().orders().open_count(), "nothing was filled in a minute");
    assert_eq!(rehearsal.bot.reconcile().await.unwrap(), Report::default());
}

#[tokio::test]
async fn a_ghost_is_reported_once_and_an_orphan_as_long_as_it_is_open() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.bot.trading_cycle().await.unwrap();
    let desk = rehearsal.desk();
    let ghost = desk.orders().open_orders(Symbol::BtcUsdt)[0].client_id.clone();
    desk.api.cancel_order(Symbol::BtcUsdt, &ghost).await.unwrap();
    let orphan = NewOrder {
        client_id: "by-hand".to_owned(),
        symbol: Symbol::EthUsdt,
        side: Side::Buy,
        kind: OrderKind::Limit,
        price: 1_000.into(),
        quantity: 1.into(),
    };
    desk.api.place_order(&orphan).await.unwrap();

    let ghost = desk.mismatch(MismatchKind::Ghost, ghost);
    let orphan = desk.mismatch(MismatchKind::Orphan, "by-hand".to_owned());
    assert_eq!(rehearsal.bot.reconcile().await.unwrap().mismatches, BTreeSet::from([ghost, orphan.clone()]));
    assert_eq!(rehearsal.bot.reconcile().await.unwrap().mismatches, BTreeSet::from([orphan]));
}

#[tokio::test]
async fn without_a_list_there_is_no_report() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.faults.begin(Fault::BlindReconciliation);
    let outcome = rehearsal.bot.reconcile().await;
    assert!(matches!(outcome, Err(BotError::Api(ApiError::Server { .. }))), "{outcome:?}");
    rehearsal.bot.trading_cycle().await.unwrap();
    rehearsal.bot.monitor_cycle().await.unwrap();
}

#[test]
fn an_orphan_is_listed_but_not_in_the_database() {
    assert_eq!(listed(None, None), Some(MismatchKind::Orphan));
    assert_eq!(listed(Some(CLOSED), Some(CLOSED)), Some(MismatchKind::Status));
    for (before, after) in [
        (Some(OPEN), Some(OPEN)),
        (None, Some(SENT)),
        (None, Some(CLOSED)),
        (Some(OPEN), Some(CLOSED)),
        (Some(UNKNOWN), Some(UNKNOWN)),
    ] {
        assert_eq!(listed(before, after), None, "{before:?} {after:?}");
    }
}

#[test]
fn quantities_differ_unless_they_changed_while_the_list_was_fetched() {
    let compare = |before, report, after| {
        compare(&orders(Some(own(OPEN, before))), &report, &orders(Some(own(OPEN, after))))
    };
    assert_eq!(compare(0, report(2, 0), 0), Some(MismatchKind::Quantity));
    for (before, listed, after) in [(0, 0, 0), (0, 1, 1), (0, 1, 2), (1, 1, 1)] {
        assert_eq!(compare(before, report(3, listed), after), None, "{before} {listed} {after}");
    }
    let sent = orders(Some(own(SENT, 0)));
    assert_eq!(super::compare(&sent, &report(3, 1), &sent), None, "its trades cannot be found yet");
    for (before, listed, after) in [(1, 0, 1), (0, 1, 0)] {
        let mismatch = compare(before, report(3, listed), after);
        assert_eq!(mismatch, Some(MismatchKind::Executed), "{before} {listed} {after}");
    }
}

#[test]
fn a_suspect_is_open_before_and_after_but_not_listed() {
    assert!(is_suspect(Some(OPEN), false, Some(OPEN)));
    for (before, is_listed, after) in [
        (Some(OPEN), true, Some(OPEN)),
        (Some(OPEN), false, Some(CLOSED)),
        (Some(OPEN), false, Some(CANCELLING)),
        (Some(CANCELLING), false, Some(OPEN)),
        (Some(SENT), false, Some(OPEN)),
        (None, false, Some(OPEN)),
    ] {
        assert!(!is_suspect(before, is_listed, after), "{before:?} {is_listed} {after:?}");
    }
}
