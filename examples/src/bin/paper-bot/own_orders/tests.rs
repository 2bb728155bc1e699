use bot_metrics_examples::market::Side;

use super::closed::REMEMBERED;
use super::*;
use crate::api::OrderKind;

const SOL: Symbol = Symbol::SolUsdt;
const TERMS: &str = "BUY 3 at 143";

fn partial() -> Booking {
    Booking::Partial(TERMS.to_owned())
}

fn complete() -> Booking {
    Booking::Complete(TERMS.to_owned())
}

fn continued(stored: StoredProfile) -> OwnOrders {
    let (database, _) = Database::open(None).unwrap();
    OwnOrders::new("maker", database, stored)
}

fn empty() -> OwnOrders {
    continued(StoredProfile::default())
}

/// Orders with one that is open at the exchange as number 7.
fn with_open(client_id: &str) -> OwnOrders {
    let mut orders = empty();
    orders.sent(&new_order(client_id));
    orders.opened(client_id, 7);
    orders
}

fn new_order(client_id: &str) -> NewOrder {
    NewOrder {
        client_id: client_id.to_owned(),
        symbol: SOL,
        side: Side::Buy,
        kind: OrderKind::Limit,
        price: 143.into(),
        quantity: 3.into(),
    }
}

fn stored_order(client_id: &str, state: OrderState) -> OwnOrder {
    let NewOrder { client_id, symbol, side, price, quantity, .. } = new_order(client_id);
    let (executed, sent_at) = (Decimal::ZERO, Duration::ZERO);
    OwnOrder { client_id, symbol, side, price, quantity, executed, state, sent_at }
}

fn trade(id: u64, order_id: u64, qty: i64) -> AccountTrade {
    let (commission, commission_asset) = (Decimal::new(qty, 3), "SOL".to_owned());
    AccountTrade { id, order_id, price: 143.into(), qty: qty.into(), commission, commission_asset }
}

#[test]
fn trades_close_an_order_when_nothing_is_left() {
    let mut orders = empty();
    orders.sent(&new_order("mine"));
    assert_eq!(orders.book(SOL, &trade(1, 7, 1)), Booking::Waits, "the exchange's id is not known yet");
    orders.opened("mine", 7);
    assert_eq!(orders.book(SOL, &trade(1, 7, 1)), partial());
    assert_eq!(orders.book(SOL, &trade(1, 7, 1)), Booking::Passed, "it is booked already");
    assert_eq!(orders.open_orders(SOL).len(), 1);
    assert_eq!(orders.book(SOL, &trade(2, 7, 2)), complete());
    assert_eq!((orders.open_orders(SOL).len(), orders.open_count()), (0, 0));
    assert_eq!(orders.book(SOL, &trade(3, 8, 1)), Booking::Passed, "it is not the bot's");
    assert_eq!(orders.next_trade(SOL), Some(4));
    let quantity = Decimal::new(2_997, 3);
    assert_eq!(orders.position(SOL), Position { quantity, cash: (-3 * 143).into() });
}

#[test]
fn a_fee_is_taken_from_the_currency_in_which_it_is_paid() {
    let with_fee = |side, asset: &str| {
        let mut position = Position::default();
        let commission_asset = asset.to_owned();
        position.add(SOL, side, &AccountTrade { commission_asset, ..trade(1, 7, 2) });
        (position.quantity, position.cash)
    };
    let fee = Decimal::new(2, 3);
    let (two, price) = (Decimal::TWO, Decimal::from(2 * 143));
    assert_eq!(with_fee(Side::Buy, "SOL"), (two - fee, -price));
    assert_eq!(with_fee(Side::Sell, "USDT"), (-two, price - fee));
    assert_eq!(with_fee(Side::Sell, "BNB"), (-two, price));
}

#[test]
fn nothing_opens_a_closed_order_again() {
    type Change = fn(&mut OwnOrders);
    let changes: [(&str, Change); 6] = [
        ("opened", |orders| assert_eq!(orders.opened("mine", 7), None)),
        ("cancelling", |orders| assert!(!orders.cancelling("mine"))),
        ("not_cancelled", |orders| orders.not_cancelled("mine")),
        ("unknown", |orders| orders.unknown("mine")),
        ("closed", |orders| assert_eq!(orders.closed("mine", End::Cancelled), None)),
        ("give_up_waiting", |orders| assert_eq!(orders.give_up_waiting(), [])),
    ];
    for (name, change) in changes {
        for is_filled in [true, false] {
            let mut orders = with_open("mine");
            // Another loop sees the end while the answer to a cancellation is under way.
            assert!(orders.cancelling("mine"));
            let ended = if is_filled {
                assert_eq!(orders.book(SOL, &trade(1, 7, 3)), complete());
                End::Filled
            } else {
                assert!(orders.closed("mine", End::Expired).is_some());
                End::Expired
            };
            change(&mut orders);
            let state = OrderState::Closed { order_id: Some(7), ended };
            assert_eq!((orders.state("mine"), orders.open_count()), (Some(state), 0), "{name}");
        }
    }
}

#[test]
fn an_order_is_placed_and_closed_once() {
    let mut orders = empty();
    orders.sent(&new_order("mine"));
    assert_eq!(orders.opened("mine", 7).as_deref(), Some(TERMS));
    assert_eq!(orders.opened("mine", 7), None);
    assert_eq!(orders.closed("mine", End::Cancelled).as_deref(), Some(TERMS));
    assert_eq!(orders.closed("mine", End::Cancelled), None);
    assert_eq!(orders.opened("unheard-of", 8), None);
}

#[test]
fn an_order_whose_trades_are_all_booked_is_closed_when_the_exchange_says_that_it_is_filled() {
    let open = OrderState::Open { order_id: 7 };
    for (executed, is_closed) in [(3, true), (2, false)] {
        let order = OwnOrder { executed: executed.into(), ..stored_order("mine", open) };
        let mut orders = continued(StoredProfile { orders: vec![order], ..StoredProfile::default() });
        orders.close_if_filled("mine");
        assert_eq!(orders.open_count() == 0, is_closed, "{executed}");
    }
}

#[test]
fn a_loop_that_looks_late_does_not_make_trades_count_twice() {
    let mut orders = with_open("mine");
    for id in 1..=2 {
        assert_eq!(orders.book(SOL, &trade(id, 7, 1)), partial());
    }
    assert_eq!(orders.book(SOL, &trade(1, 9, 1)), Booking::Passed);
    assert_eq!(orders.book(SOL, &trade(2, 7, 1)), Booking::Passed);
    assert_eq!(orders.next_trade(SOL), Some(3));
}

#[test]
fn of_two_loops_that_look_first_the_later_skips_no_trade() {
    let mut orders = empty();
    assert_eq!(orders.begin_trades(SOL, 10), 10);
    orders.sent(&new_order("mine"));
    orders.opened("mine", 7);
    assert_eq!(orders.begin_trades(SOL, 11), 10, "trade 10 has not been booked");
    assert_eq!(orders.book(SOL, &trade(10, 7, 1)), partial());
}

#[test]
fn late_trades_find_a_closed_order() {
    let mut orders = with_open("mine");
    orders.closed("mine", End::Cancelled);
    assert_eq!(orders.book(SOL, &trade(1, 7, 1)), partial());
    assert_eq!(orders.open_count(), 0);
    assert_eq!(orders.position(SOL).cash, (-143).into());
}

fn closed_in_an_earlier_run() -> StoredProfile {
    let ended = OrderState::Closed { order_id: Some(7), ended: End::Cancelled };
    let positions = [(SOL, (Position::default(), 40))].into();
    StoredProfile { closed: vec![stored_order("earlier", ended)], positions, ..StoredProfile::default() }
}

#[test]
fn late_trades_find_an_order_that_was_closed_in_an_earlier_run() {
    let mut orders = continued(closed_in_an_earlier_run());
    assert_eq!(orders.begin_trades(SOL, 41), 40);
    assert_eq!(orders.book(SOL, &trade(40, 7, 1)), partial());
    assert_eq!(orders.get("earlier").map(|order| order.executed), Some(Decimal::ONE));
}

#[test]
fn where_the_exchange_counts_anew_an_old_id_is_that_of_another_order() {
    let mut orders = continued(closed_in_an_earlier_run());
    assert_eq!(orders.begin_trades(SOL, 2), 2);
    assert_eq!(orders.book(SOL, &trade(2, 7, 1)), Booking::Passed);
    assert_eq!(orders.position(SOL), Position::default());
}

#[test]
fn an_id_that_is_given_again_is_that_of_the_later_order() {
    // No trade has told that the exchange counts anew.
    let mut orders = continued(closed_in_an_earlier_run());
    assert_eq!(orders.begin_trades(SOL, 40), 40);
    orders.sent(&new_order("later"));
    assert_eq!(orders.book(SOL, &trade(40, 7, 3)), Booking::Waits, "the later order may be number 7");
    orders.opened("later", 7);
    assert_eq!(orders.book(SOL, &trade(40, 7, 3)), complete());
    let executed = |client_id| orders.get(client_id).map(|order| order.executed);
    assert_eq!((executed("earlier"), executed("later")), (Some(Decimal::ZERO), Some(3.into())));
}

#[test]
fn a_failed_cancellation_leaves_the_order_open() {
    let mut orders = with_open("mine");
    assert!(orders.cancelling("mine"));
    assert_eq!(orders.open_orders(SOL), [], "it must not be cancelled twice");
    assert_eq!(orders.open_count(), 1);
    orders.not_cancelled("mine");
    assert_eq!(orders.state("mine"), Some(OrderState::Open { order_id: 7 }));
}

#[test]
fn giving_up_makes_all_pending_orders_unknown() {
    let mut orders = empty();
    for (client_id, order_id) in [("sent", None), ("open", Some(7)), ("cancelling", Some(8))] {
        orders.sent(&new_order(client_id));
        if let Some(order_id) = order_id {
            orders.opened(client_id, order_id);
        }
    }
    assert!(orders.cancelling("cancelling"));
    assert_eq!(orders.give_up_waiting(), [SOL; 2]);
    assert_eq!(orders.unsettled(SOL), ["cancelling", "sent"]);
    assert_eq!(orders.state("cancelling"), Some(OrderState::Unknown { order_id: Some(8) }));
    assert_eq!(orders.not_closed(SOL).len(), 3);
    assert_eq!(orders.give_up_waiting(), []);
}

#[test]
fn only_the_last_closed_orders_are_kept() {
    let mut orders = empty();
    for number in 0..REMEMBERED + 5 {
        let client_id = number.to_string();
        orders.sent(&new_order(&client_id));
        orders.opened(&client_id, number.try_into().unwrap());
        orders.closed(&client_id, End::Cancelled);
    }
    assert_eq!(orders.all().count(), REMEMBERED);
    assert_eq!(orders.state("4"), None);
    let state = OrderState::Closed { order_id: Some(5), ended: End::Cancelled };
    assert_eq!(orders.state("5"), Some(state));
    assert_eq!(orders.confirmed.len(), REMEMBERED, "their ids are forgotten, too");
}
